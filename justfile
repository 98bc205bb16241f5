# Shortcuts for the commands of CONTRIBUTING.md. `just` alone lists them.

# Lists the recipes.
default:
    @just --list

# Formats and lints all code.
check:
    cargo fmt --all
    cargo clippy --all-targets --locked -- -D warnings

# The tests of the rules and the unit tests of the daemon.
test-fast:
    cargo test -p tidings-rules
    cargo test --lib

# All tests.
test:
    cargo test --locked

# One module of the integration tests: `just it webhook`.
it module:
    cargo test --test it {{module}}::

# One bench: engine, load, report, watchlist or outbox.
bench name="engine":
    cargo bench --bench {{name}}

# Fuzzes one target with libFuzzer; needs cargo-fuzz, a nightly toolchain and a C++ compiler.
fuzz target="expression" seconds="60":
    cargo +nightly fuzz run {{target}} -- -max_total_time={{seconds}}

# Licences, sources and bans of the dependencies; needs cargo-deny.
deny:
    cargo deny check bans licenses sources

# Every check that a change must pass.
ci:
    .ci/run

# What is shipped: target/dist/tidings.
dist:
    cargo build --profile dist --locked

# The pictures of README and docs/desk.md; needs chromium.
pictures:
    cargo build
    python3 docs/pictures/make.py
    cargo test --test it browser::pictures:: -- --ignored

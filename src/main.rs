//! The command `tidings`: the arguments in, an exit code out.

fn main() -> std::process::ExitCode {
    tidings::cli::main(std::env::args_os())
}

#!/usr/bin/env python3
"""Runs a daemon that polls at a steady pace for an hour while the items of its feeds are replaced. Measures the CPU of a poll and the resident memory.

    cargo build --release && python3 benches/soak.py [MINUTES] [--binary target/release/tidings]

Fails if after the first five minutes either is not flat within a tenth. `docs/benchmarks.md` says what the numbers mean.
"""

import argparse
import http.server
import os
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time

FEEDS = 48
EVERY = 2
ITEMS = 25
WARM = 5
FLAT = 0.1
WORDS = """the of to in and for with was said government minister officials port trade markets region talks agreement
report police court election shipment oil gas company shares growth bank border army exercise satellite research""".split()


class Publisher(http.server.ThreadingHTTPServer):
    """Serves feeds. Each request replaces the oldest item by a new one."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Answer)
        self.asked = [0] * FEEDS
        self.polls = 0
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def document(self, feed):
        self.polls += 1
        self.asked[feed] += 1
        newest = self.asked[feed] + ITEMS
        items = "".join(item(feed, n) for n in range(newest, newest - ITEMS, -1))
        return f'<rss version="2.0"><channel><title>Paper {feed}</title><link>https://paper.example/</link>{items}</channel></rss>'


class Answer(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        body = self.server.document(int(self.path.strip("/"))).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/rss+xml")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def item(feed, n):
    chance = random.Random(feed * 1_000_000 + n)
    title, text = (" ".join(chance.choices(WORDS, k=words)) for words in (9, 120))
    link = f"https://paper{feed}.example/{n}"
    return f"<item><title>{title} {n}</title><link>{link}</link><guid>{link}</guid><description>{text}</description></item>"


def configure(folder, port):
    feeds = "".join(
        f'  - {{url: "http://127.0.0.1:{port}/{feed}", name: paper {feed}, every: {EVERY}s, full_text: never}}\n' for feed in range(FEEDS)
    )
    (folder / "rules").mkdir()
    (folder / "rules/rule.yaml").write_text("rules:\n  - {name: exercises, when: army AND satellite AND NOT shares}\n")
    (folder / "config.yaml").write_text(
        "store: sqlite:tidings.db\nrules: rules\nnotify: [console]\nnotifiers:\n  console: {type: console}\n"
        f"poll: {{min: 1s, first_poll: all, per_host: 8}}\nnetwork: {{allow: [127.0.0.0/8]}}\nfeeds:\n{feeds}"
    )


def cpu(process):
    """The CPU time in seconds, user and system."""
    fields = pathlib.Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident(process):
    """The resident memory in MiB."""
    return int(pathlib.Path(f"/proc/{process}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def sample(daemon, publisher, minutes):
    """The CPU in milliseconds a poll and the memory in MiB, for each minute."""
    samples = []
    spent, polls = cpu(daemon.pid), publisher.polls
    print("minute  polls/s  ms of CPU a poll  MiB", flush=True)
    for minute in range(1, minutes + 1):
        time.sleep(60)
        if daemon.poll() is not None:
            sys.exit(f"the daemon ended with {daemon.returncode}")
        now_spent, now_polls = cpu(daemon.pid), publisher.polls
        per_poll = 1000 * (now_spent - spent) / max(1, now_polls - polls)
        samples.append((per_poll, resident(daemon.pid)))
        print(f"{minute:6}  {(now_polls - polls) / 60:7.1f}  {per_poll:16.2f}  {samples[-1][1]:3.0f}", flush=True)
        spent, polls = now_spent, now_polls
    return samples


def is_flat(name, values):
    """Whether the mean of the last quarter of the values is within a tenth of that of the first."""
    quarter = max(1, len(values) // 4)
    first, last = (sum(some) / quarter for some in (values[:quarter], values[-quarter:]))
    print(f"{name}: {first:.2f} at first, {last:.2f} at last: {last / first - 1:+.1%}")
    return last <= first * (1 + FLAT)


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("minutes", type=int, nargs="?", default=60)
    arguments.add_argument("--binary", type=pathlib.Path, default=pathlib.Path(__file__).resolve().parent.parent / "target/release/tidings")
    arguments = arguments.parse_args()
    if arguments.minutes <= WARM:
        sys.exit(f"the first {WARM} minutes count for nothing: give it more")
    publisher = Publisher()
    with tempfile.TemporaryDirectory(prefix="tidings-soak-") as folder:
        folder = pathlib.Path(folder)
        configure(folder, publisher.server_address[1])
        with open(folder / "log", "w") as log:
            daemon = subprocess.Popen([arguments.binary.resolve(), "run"], cwd=folder, stdout=subprocess.DEVNULL, stderr=log)
        try:
            samples = sample(daemon, publisher, arguments.minutes)[WARM:]
        finally:
            daemon.send_signal(signal.SIGTERM)
            daemon.wait()
    flat = [is_flat("ms of CPU a poll", [cost for cost, _ in samples]), is_flat("MiB resident", [size for _, size in samples])]
    sys.exit(0 if all(flat) else "not flat within a tenth")


if __name__ == "__main__":
    main()

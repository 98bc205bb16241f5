#!/usr/bin/env python3
"""Polls many feeds from nginx on loopback, first new and then unchanged, and prints the costs. Runs newsboat, too, if it is installed.

    cargo build --release && python3 benches/polls.py [FEEDS] [--hourly MINUTES] [--against BINARY]

Needs nginx (Debian: nginx-light). Every feed has 25 items and 45 kB. `docs/benchmarks.md` says what the numbers mean.
"""

import argparse
import collections
import contextlib
import datetime
import os
import pathlib
import random
import shutil
import signal
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time

ITEMS = 25
WORDS = """a the of to in and on for with was said by at from that it as is has government minister officials port
trade markets region talks agreement report city police court election shipment oil gas company shares growth bank
border army exercise satellite research weather storm harvest railway bridge hospital school museum festival league
season match injury transfer album film director studio premiere strike union wages budget tax parliament vote""".split()


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("feeds", type=int, nargs="?", default=1000)
    arguments.add_argument("--hourly", type=int, metavar="MINUTES", help="then let the daemon poll them hourly for so long")
    arguments.add_argument("--against", type=pathlib.Path, metavar="BINARY", help="compare with another build")
    arguments.add_argument("--turns", type=int, default=5, help="how often each build polls with --against")
    arguments = arguments.parse_args()
    binary = pathlib.Path(__file__).resolve().parent.parent / "target/release/tidings"
    for needed in (str(binary), "nginx"):
        if not shutil.which(needed):
            sys.exit(f"{needed} is missing: cargo build --release, and install nginx")
    with tempfile.TemporaryDirectory(prefix="tidings-polls-") as folder:
        folder = pathlib.Path(folder)
        size = write_feeds(folder / "www", arguments.feeds)
        print(f"{arguments.feeds} feeds of {ITEMS} items, {size / arguments.feeds / 1000:.0f} kB each, {size / 1e6:.0f} MB")
        with Nginx(folder) as nginx:
            if arguments.against:
                return compare(folder, nginx, [arguments.against.resolve(), binary], arguments.feeds, arguments.turns)
            tidings(folder, nginx, binary, arguments.feeds)
            if shutil.which("newsboat"):
                newsboat(folder, nginx, arguments.feeds)
            if arguments.hourly:
                hourly(folder, nginx, binary, arguments.hourly)


def write_feeds(www, number):
    """Writes feeds with one item for each past hour. Returns their size in bytes."""
    www.mkdir()
    www.chmod(0o755)
    chance = random.Random(7)
    now = datetime.datetime.now(datetime.timezone.utc)
    for feed in range(number):
        items = "".join(item(chance, feed, n, now - datetime.timedelta(hours=n + 1)) for n in range(ITEMS))
        (www / f"{feed}.xml").write_text(
            '<?xml version="1.0" encoding="UTF-8"?>\n<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/" '
            f'xmlns:dc="http://purl.org/dc/elements/1.1/"><channel><title>Paper {feed}</title>'
            f"<link>https://paper{feed}.example/</link><description>News</description><language>en</language>\n{items}</channel></rss>\n"
        )
    return sum(file.stat().st_size for file in www.iterdir())


def item(chance, feed, n, published):
    def text(words):
        return " ".join(chance.choices(WORDS, k=words))

    paragraphs = "".join(f"<p>{text(32).capitalize()}.</p>\n" for _ in range(6))
    link = f"https://paper{feed}.example/2026/{n}/{chance.randrange(10**9)}"
    return (
        f"<item><title>{text(9).capitalize()}</title><link>{link}</link><guid isPermaLink=\"true\">{link}</guid>"
        f"<pubDate>{published:%a, %d %b %Y %H:%M:%S} +0000</pubDate><dc:creator>{text(2).title()}</dc:creator>"
        f"<category>{text(1)}</category><description><![CDATA[<p>{text(25)}</p>]]></description>"
        f"<content:encoded><![CDATA[{paragraphs}]]></content:encoded></item>\n"
    )


class Nginx:
    """nginx with one worker, and a log of its answers. `rest` is the rest of its server's configuration."""

    def __init__(self, folder, address="127.0.0.1", rest=""):
        self.folder = folder
        self.address = address
        self.rest = rest
        self.log = folder / "access.log"
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]

    def __enter__(self):
        self.folder.chmod(0o755)
        (self.folder / "nginx.conf").write_text(
            f"worker_processes 1; daemon off; error_log {self.folder}/error.log; pid {self.folder}/pid;\n"
            "events { worker_connections 1024; }\nhttp {\n"
            f"  log_format short '$status $body_bytes_sent'; access_log {self.log} short;\n"
            f"  server {{ listen {self.address}:{self.port}; root {self.folder}/www; default_type application/rss+xml; keepalive_requests 100000; {self.rest} }}\n}}\n"
        )
        self.process = subprocess.Popen(["nginx", "-c", str(self.folder / "nginx.conf"), "-p", str(self.folder)])
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return self
            time.sleep(0.05)
        sys.exit("nginx does not start")

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()

    def answers(self):
        """The answers since the last call: the count of each status, and the bytes of their bodies."""
        lines = [line.split() for line in self.log.read_text().splitlines()]
        self.log.write_text("")
        statuses = collections.Counter(status for status, _ in lines)
        return dict(statuses), sum(int(size) for _, size in lines)


def run(name, nginx, command, expected, **options):
    """Runs a command to its end, and prints its costs. Returns its seconds of CPU."""
    begun = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, **options)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    cpu = report(name, nginx, begun, usage)
    if process.returncode not in expected:
        sys.exit(f"{command} ended with {process.returncode}")
    return cpu


def report(name, nginx, begun, usage):
    answers, size = nginx.answers()
    cpu = usage.ru_utime + usage.ru_stime
    print(
        f"{name:28} {cpu:7.2f} s of CPU  {time.monotonic() - begun:7.2f} s  {usage.ru_maxrss / 1024:5.0f} MiB  "
        f"answers {answers}  {size / 1e6:.1f} MB",
        flush=True,
    )
    return cpu


def configure(folder, nginx, number, every):
    """A configuration with one rule that matches some items."""
    work = folder / f"tidings-{every}"
    (work / "rules").mkdir(parents=True)
    feeds = "".join(
        f'  - {{url: "http://127.0.0.1:{nginx.port}/{feed}.xml", name: paper {feed}, every: {every}, full_text: never}}\n'
        for feed in range(number)
    )
    (work / "config.yaml").write_text(
        "store: sqlite:tidings.db\nrules: rules\nnotify: [console]\nnotifiers:\n  console: {type: console}\n"
        f"network: {{allow: [127.0.0.0/8]}}\nfeeds:\n{feeds}"
    )
    (work / "rules/rule.yaml").write_text("rules:\n  - {name: storms, when: storm harvest railway}\n")
    return work / "config.yaml"


def tidings(folder, nginx, binary, number):
    config = configure(folder, nginx, number, "1s")
    command = [binary, "run", "--once", "--config", config]
    run("tidings, first", nginx, command, [0])
    time.sleep(1)
    run("tidings, unchanged", nginx, command, [0])


def compare(folder, nginx, binaries, number, turns):
    """Lets two builds poll in turn, first new and then unchanged, and prints the medians of their CPU."""
    taken = {"first": ([], []), "unchanged": ([], [])}
    for turn in range(turns):
        for build in (0, 1) if turn % 2 == 0 else (1, 0):
            config = configure(folder / f"turn-{turn}-{build}", nginx, number, "1s")
            command = [binaries[build], "run", "--once", "--config", config]
            for poll in taken:
                name = f"{'this build' if build else 'the other'}, {poll}"
                taken[poll][build].append(run(name, nginx, command, [0], stderr=subprocess.DEVNULL))
                time.sleep(1)
            shutil.rmtree(config.parent)
    for poll, builds in taken.items():
        other, this = map(statistics.median, builds)
        print(f"{poll}, medians of {turns}: the other {other:.2f} s, this build {this:.2f} s of CPU: {this / other:.2f} times")


def newsboat(folder, nginx, number):
    home = folder / "newsboat"
    home.mkdir()
    (home / "urls").write_text("".join(f"http://127.0.0.1:{nginx.port}/{feed}.xml\n" for feed in range(number)))
    (home / "config").write_text("reload-threads 50\nauto-reload no\n")
    command = ["newsboat", "-u", home / "urls", "-C", home / "config", "-c", home / "cache.db", "-x", "reload"]
    for name in ("newsboat, first", "newsboat, unchanged"):
        run(name, nginx, command, [0], env={**os.environ, "HOME": str(home)})


def hourly(folder, nginx, binary, minutes):
    """Runs the daemon with feeds that were polled before. Each is due once an hour, spread over the hour as after a long run."""
    config = configure(folder, nginx, len(list((folder / "www").iterdir())), "1h")
    run("tidings, to begin with", nginx, [binary, "run", "--once", "--config", config], [0])
    with contextlib.closing(sqlite3.connect(config.parent / "tidings.db")) as store:
        store.execute("UPDATE feed SET next_poll = last_poll + abs(random()) % 3600000")
        store.commit()
    begun = time.monotonic()
    daemon = subprocess.Popen([binary, "run", "--config", config], stdout=subprocess.DEVNULL)
    time.sleep(minutes * 60)
    daemon.send_signal(signal.SIGTERM)
    _, _, usage = os.wait4(daemon.pid, 0)
    report(f"tidings, {minutes} min, hourly", nginx, begun, usage)
    share = (usage.ru_utime + usage.ru_stime) / (minutes * 60)
    print(f"  {share:.2%} of a core")


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Asks every page of the desk over a large store, and prints how long the answers take.

    cargo build --release && python3 benches/desk.py [ALERTS] [--requests N] [--binary BINARY]

The store has as many stories as alerts, made by SQL after Tidings has made its tables. Each page is
asked 200 times on one connection. `docs/benchmarks.md` says what the numbers mean.
"""

import argparse
import contextlib
import http.client
import os
import pathlib
import re
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time

RULES = 50
FEEDS = 200
CONFIG = """\
store: sqlite:tidings.db
notify: [console]
feeds: ["file:wire.xml"]
notifiers: {console: {type: console}}
web: {listen: "127.0.0.1:0"}
"""
RULE = "rules:\n" + "".join(f"  - {{name: rule-{n}, when: word{n} AND never}}\n" for n in range(RULES))
FEED = '<rss version="2.0"><channel><title>Wire</title></channel></rss>\n'
PAGES = [
    "/", "/alerts", "/alerts?before={middle}", "/alerts?rule=rule-7", "/alerts?feed=feed-9",
    "/alerts?severity=high", "/alerts?since=2d", "/alerts/{middle}", "/events/event-{middle}", "/feeds",
    "/feeds/feed-9", "/rules", "/rules/rule-7", "/silences", "/deliveries", "/status", "/alerts.atom",
    "/alerts?words=word7+word11", "/alerts?words=number{middle}", "/alerts?words=never+found",
]


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("alerts", type=int, nargs="?", default=1_000_000)
    arguments.add_argument("--requests", type=int, default=200, help="how often each page is asked")
    default = pathlib.Path(__file__).resolve().parent.parent / "target/release/tidings"
    arguments.add_argument("--binary", type=pathlib.Path, default=default, help="the binary that is asked")
    arguments = arguments.parse_args()
    arguments.binary = arguments.binary.resolve()
    with tempfile.TemporaryDirectory(prefix="tidings-desk-") as folder:
        folder = pathlib.Path(folder)
        (folder / "rules").mkdir()
        feeds = "".join(f', {{name: feed-{n}, url: "file:wire.xml"}}' for n in range(FEEDS))
        (folder / "config.yaml").write_text(CONFIG.replace('["file:wire.xml"]', f'["file:wire.xml"{feeds}]'))
        (folder / "rules" / "rules.yaml").write_text(RULE)
        (folder / "wire.xml").write_text(FEED)
        subprocess.run([arguments.binary, "run", "--once"], cwd=folder, check=True, capture_output=True)
        begun = time.monotonic()
        fill(folder / "tidings.db", arguments.alerts)
        size = (folder / "tidings.db").stat().st_size / 1e6
        print(f"{arguments.alerts} alerts and stories, {size:.0f} MB, written in {time.monotonic() - begun:.0f} s")
        with running(folder, arguments.binary) as (process, port):
            begun = time.monotonic()
            wait_for_index(folder / "tidings.db")
            print(f"indexed in {time.monotonic() - begun:.0f} s")
            ask_all(port, arguments.alerts // 2, arguments.requests)
            print(f"memory: {memory(process.pid) / 1024:.0f} MiB")


def fill(store, alerts):
    """Writes stories and alerts: one for each minute until now."""
    database = sqlite3.connect(store)
    database.execute("PRAGMA synchronous = OFF")
    now = int(time.time() * 1000)
    text = "A text of some length. " * 20
    with database:
        database.executemany(
            "INSERT INTO story (id, uid, key, event, title, feed_text, body, url, published, lang, authors, tags, first_seen, read, status)"
            " VALUES (?, ?, ?, ?, ?, '', ?, ?, ?, 'en', '[]', '[]', ?, 'full', 'matched')",
            ((n, f"event-{n}", f"key-{n}", f"event-{n}", f"word{n % 50} word{n % 97} number{n}", text,
              f"https://wire.example/{n}", at(now, alerts, n), at(now, alerts, n)) for n in range(1, alerts + 1)))
        database.executemany(
            "INSERT INTO feed_entry (feed, key, hash, story, seen, url) VALUES (?, ?, ?, ?, ?, ?)",
            ((f"feed-{n % FEEDS}", f"key-{n}", str(n), n, at(now, alerts, n), f"https://wire.example/{n}") for n in range(1, alerts + 1)))
        match = '{{"rule":"rule-{0}","version":"v","severity":"{1}","evidence":[{{"term":"word","field":"title","sentence":"word{0} word{2} number{3}","marks":[{{"start":0,"end":4}}]}}]}}'
        severity = ["info", "low", "medium", "high", "critical"]
        database.executemany(
            "INSERT INTO alert (id, story, rule, dedup_key, version, severity, revision, read, rule_match, created, index_lag)"
            " VALUES (?, ?, ?, '', 'v', ?, 1, 'full', ?, ?, 1)",
            ((n, n, f"rule-{n % RULES}", severity[n % 5], match.format(n % RULES, severity[n % 5], n % 97, n), at(now, alerts, n))
             for n in range(1, alerts + 1)))
    database.close()


def at(now, alerts, n):
    return now - (alerts - n) * 60_000


def wait_for_index(store):
    """Tidings indexes the alerts that are new to it."""
    database = sqlite3.connect(store)
    while database.execute("SELECT EXISTS (SELECT 1 FROM alert WHERE index_lag > 0)").fetchone()[0]:
        time.sleep(1)
    database.close()


@contextlib.contextmanager
def running(folder, binary):
    process = subprocess.Popen([binary, "run"], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        for line in process.stderr:
            if found := re.search(r"web listener: 127\.0\.0\.1:(\d+)", line):
                yield process, int(found[1])
                break
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def ask_all(port, middle, requests):
    connection = http.client.HTTPConnection("127.0.0.1", port)
    print(f"{'page':34} {'median':>8} {'p99':>8} {'bytes':>9}")
    for page in PAGES:
        path = page.format(middle=middle)
        times = []
        for _ in range(requests):
            begun = time.perf_counter()
            connection.request("GET", path)
            answer = connection.getresponse()
            body = answer.read()
            times.append((time.perf_counter() - begun) * 1000)
            if answer.status != 200:
                sys.exit(f"{path}: {answer.status}: {body[:200]}")
        times.sort()
        p99 = times[min(len(times) - 1, len(times) * 99 // 100)]
        print(f"{path:34} {statistics.median(times):6.1f} ms {p99:5.1f} ms {len(body):9}")


def memory(pid):
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", text)[1])


if __name__ == "__main__":
    os.environ.setdefault("TZ", "UTC")
    main()

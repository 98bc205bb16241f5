#!/usr/bin/env python3
"""Lets one node poll and deliver with a file, and one, two and three with PostgreSQL, and prints what all of them do a second.

    cargo build --release && python3 benches/nodes.py [FEEDS] [--seconds SECONDS] [--turns TURNS]

Needs nginx and PostgreSQL's server (Debian: nginx-light, postgresql). `docs/benchmarks.md` says what the numbers mean.
"""

import argparse
import contextlib
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

import polls

RECEIVERS = 16
ITEMS = 600
CONNECTIONS = 32
# A feed of 45 kB takes half a second.
SLOW = "location /slow/ { alias %s/www/; limit_rate 90k; etag off; if_modified_since off; }"
REST = "allow 127.0.0.0/8; deny all; location /hook { return 204; } " + SLOW
NODES = {"file": 1, "1 node": 1, "2 nodes": 2, "3 nodes": 3}


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("feeds", type=int, nargs="?", default=3000)
    arguments.add_argument("--seconds", type=int, default=15, help="how long polls are counted")
    arguments.add_argument("--turns", type=int, default=3, help="how often each is measured")
    arguments = arguments.parse_args()
    binary = pathlib.Path(__file__).resolve().parent.parent / "target/release/tidings"
    for needed in (str(binary), "nginx"):
        if not shutil.which(needed):
            sys.exit(f"{needed} is missing: cargo build --release, and install nginx")
    with tempfile.TemporaryDirectory(prefix="tidings-nodes-") as folder, contextlib.ExitStack() as stack:
        folder = pathlib.Path(folder)
        polls.write_feeds(folder / "www", arguments.feeds)
        nginx = stack.enter_context(polls.Nginx(folder, "0.0.0.0", REST % folder))
        server = stack.enter_context(Server(folder))
        bench = Bench(folder, nginx, server, binary)
        measures = {
            "unchanged polls": lambda name: bench.polls(name, "", arguments.feeds, arguments.seconds),
            "slow polls": lambda name: bench.polls(name, "slow/", 400, arguments.seconds),
            "deliveries": bench.deliveries,
        }
        for title, measure in measures.items():
            rates = {name: [] for name in NODES}
            for _ in range(arguments.turns):
                for name in NODES:
                    rates[name].append(measure(name))
                    print(f"{title:16} {name:8} {rates[name][-1]:7.0f} a second", flush=True)
            medians = ", ".join(f"{name} {statistics.median(rate):.0f}" for name, rate in rates.items())
            print(f"{title}, medians a second: {medians}", flush=True)


def write_long_feeds(www, number):
    """Writes a feed with so many items for each receiver. They match that receiver's rule."""
    for feed in range(RECEIVERS):
        items = "".join(f"<item><title>Storm {feed} {n}</title><guid>{feed}-{n}</guid></item>\n" for n in range(number))
        (www / f"long-{feed}.xml").write_text(f'<rss version="2.0"><channel><title>Long {feed}</title>\n{items}</channel></rss>\n')


class Server:
    """PostgreSQL with its defaults and a socket in a folder. The server refuses to run as root."""

    def __init__(self, folder):
        self.bin = max(pathlib.Path("/usr/lib/postgresql").glob("*/bin"), default=None)
        if not self.bin:
            sys.exit("PostgreSQL's server is missing")
        self.folder = folder / "server"
        self.user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        self.databases = 0

    def __enter__(self):
        self.folder.mkdir()
        if self.user:
            shutil.chown(self.folder, "postgres")
        data = self.folder / "data"
        self.run("initdb", "-D", data, "-U", "tidings", "-A", "trust", "-E", "UTF8")
        self.run("pg_ctl", "-D", data, "-w", "-l", self.folder / "log", "-o", f"-k {self.folder} -c listen_addresses=", "start")
        return self

    def __exit__(self, *_):
        self.run("pg_ctl", "-D", self.folder / "data", "-m", "immediate", "stop")

    def run(self, program, *arguments):
        command = [*self.user, self.bin / program, *arguments]
        subprocess.run(command, check=True, cwd="/", stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)

    def database(self):
        """The place of a new store."""
        self.databases += 1
        name = f"bench_{self.databases}"
        self.run("createdb", "-h", self.folder, "-U", "tidings", name)
        socket = str(self.folder).replace("/", "%2F")
        return f"postgres://tidings@{socket}/{name}"


class Bench:
    def __init__(self, folder, nginx, server, binary):
        self.folder, self.nginx, self.server, self.binary = folder, nginx, server, binary

    def polls(self, name, path, number, seconds):
        """Answered polls a second, from the time on at which every feed was polled."""
        feeds = [self.feed(n, f"{path}{n}.xml", "1s") for n in range(number)]
        with self.nodes(name, feeds, "rules:\n  - {name: storms, when: storm harvest railway}\n"):
            # The first polls of all feeds, and a second poll of most.
            self.wait_for(2 * number)
            before, begun = self.answers(), time.monotonic()
            time.sleep(seconds)
            return (self.answers() - before) / (time.monotonic() - begun)

    def deliveries(self, name):
        """Messages a second, from the first that arrives to the last."""
        write_long_feeds(self.folder / "www", 0)
        feeds = [self.feed(n, f"long-{n}.xml", "1s") for n in range(RECEIVERS)]
        rules = "".join(f"  - {{name: storm {n}, when: storm, feeds: paper {n}, notify: hook-{n}}}\n" for n in range(RECEIVERS))
        with self.nodes(name, feeds, f"rules:\n{rules}"):
            write_long_feeds(self.folder / "www", ITEMS)
            self.wait_for(1, "204")
            begun = time.monotonic()
            self.wait_for(RECEIVERS * ITEMS, "204")
            return RECEIVERS * ITEMS / (time.monotonic() - begun)

    def feed(self, n, path, every):
        """A feed at a host of its own."""
        url = f"http://127.1.{n // 250}.{n % 250 + 1}:{self.nginx.port}/{path}"
        return f"  - {{url: '{url}', name: paper {n}, every: {every}, full_text: never}}\n"

    @contextlib.contextmanager
    def nodes(self, name, feeds, rules):
        """Runs the nodes. It goes on when all of them do their part of the work."""
        self.nginx.answers()
        folder = self.folder / "nodes"
        place = "sqlite:tidings.db" if name == "file" else self.server.database()
        homes = [folder / str(node) for node in range(NODES[name])]
        with contextlib.ExitStack() as stack:
            stack.callback(shutil.rmtree, folder)
            for home in homes:
                (home / "rules").mkdir(parents=True)
                (home / "rules/rule.yaml").write_text(rules)
                (home / "config.yaml").write_text(config(place, feeds, self.nginx.port))
                log = stack.enter_context((home / "log").open("wb"))
                command = [self.binary, "run", "--config", home / "config.yaml"]
                node = stack.enter_context(subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=log))
                stack.callback(node.kill)
            deadline = time.monotonic() + 60
            while not all_work(homes, name == "file"):
                if time.monotonic() > deadline:
                    sys.exit(f"{name}: not every node works\n" + "".join((home / "log").read_text() for home in homes))
                time.sleep(0.1)
            yield

    def answers(self, status=""):
        """The number of answers with this status so far."""
        return sum(line.startswith(status) for line in self.nginx.log.read_text().splitlines())

    def wait_for(self, number, status=""):
        """Waits for so many answers."""
        deadline = time.monotonic() + 300
        while self.answers(status) < number:
            if time.monotonic() > deadline:
                sys.exit(f"{self.answers(status)} answers {status}, not {number}")
            time.sleep(0.05)


def config(place, feeds, port):
    """A configuration of any node."""
    hooks = "".join(f"  hook-{n}: {{type: webhook, url: 'http://127.2.0.{n + 1}:{port}/hook'}}\n" for n in range(RECEIVERS))
    return (
        f"store: {place}\nrules: rules\nnotify: [hook-0]\nnetwork: {{allow: [127.0.0.0/8]}}\n"
        f"poll: {{connections: {CONNECTIONS}}}\nnotifiers:\n{hooks}feeds:\n{''.join(feeds)}"
    )


def all_work(homes, alone):
    """Whether each of the nodes does a part of the work, and all of them do the whole."""
    logs = [(home / "log").read_text() for home in homes]
    if alone:
        return "started with the store" in logs[0]
    shares = [re.findall(r"does (\d+) of 256 shares", log) for log in logs]
    parts = [int(counts[-1]) if counts else 0 for counts in shares]
    return all(parts) and sum(parts) == 256


if __name__ == "__main__":
    main()

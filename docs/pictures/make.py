#!/usr/bin/env python3
"""Makes the pictures of README from the shipped example: a mail and the console's output.

Usage: cargo build && python3 docs/pictures/make.py [--tidings target/debug/tidings]

The script runs the real binary with examples/wire.xml and the shipped rules. The mail goes to a
small SMTP server in this script. Headless Chromium (Debian's package `chromium`) renders the mail
and the console's text, light and dark. `pngquant` makes the files small, if it is there.
"""

import argparse
import email
import email.policy
import html
import os
import pty
import re
import shutil
import socketserver
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PICTURES = ROOT / "docs" / "pictures"
# The headline of the alert that the mail shows.
SHOWN = "Rail cars at the Tumen bridge"
WIDTH = 760
LARGEST = 60_000

CONFIG = """
zone: UTC
rules: {rules}
notify: [{notifier}]
feeds:
  - {{url: "file:{wire}", name: The Example Wire}}
notifiers:
  console: {{type: console}}
  desk:
    type: email
    smtp: smtp://127.0.0.1:{port}
    from: Tidings <tidings@example.org>
    to: [desk@example.org]
"""

# The colours of the console, light and dark, by the number of the SGR code.
COLOURS = {
    "light": {31: "#b3261e", 32: "#1b6e20", 33: "#8a5a00", 34: "#1a4fa0", 35: "#7a2a8c", 36: "#006874"},
    "dark": {31: "#ff8a80", 32: "#81c784", 33: "#ffd54f", 34: "#90b4ff", 35: "#d7a1e8", 36: "#7fd6df"},
}
GROUND = {"light": ("#ffffff", "#1a1a1a"), "dark": ("#1b1c1f", "#e4e4e4")}


class Mail(socketserver.StreamRequestHandler):
    """One connection of a mail server that takes everything."""

    def handle(self):
        self.say("220 sink")
        while line := self.rfile.readline():
            verb = line.split()[0].upper() if line.split() else b""
            if verb == b"DATA":
                self.say("354 go on")
                data = b""
                while not data.endswith(b"\r\n.\r\n"):
                    data += self.rfile.readline()
                self.server.mails.append(data[:-5])
                self.say("250 kept")
            elif verb == b"QUIT":
                self.say("221 bye")
                return
            else:
                self.say("250 ok")

    def say(self, line):
        self.wfile.write(line.encode() + b"\r\n")


def run(tidings, folder, notifier, port):
    """Runs one round in a terminal; returns what it printed."""
    config = CONFIG.format(
        rules=ROOT / "rules", wire=ROOT / "examples" / "wire.xml", notifier=notifier, port=port
    )
    (folder / "config.yaml").write_text(config)
    read, write = pty.openpty()
    command = [tidings, "run", "--once", "--config", folder / "config.yaml"]
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "88"}
    environment.pop("NO_COLOR", None)
    child = subprocess.Popen(command, stdout=write, stderr=subprocess.DEVNULL, env=environment)
    os.close(write)
    printed = b""
    try:
        while piece := os.read(read, 65536):
            printed += piece
    except OSError:
        pass
    if child.wait() != 0:
        sys.exit("tidings run failed; run it by hand to see why")
    return printed.decode().replace("\r\n", "\n")


def painted(text, theme):
    """Text with SGR codes as HTML."""
    pieces, style = [], {}
    for piece in re.split(r"(\x1b\[[0-9;]*m)", text):
        code = re.fullmatch(r"\x1b\[([0-9;]*)m", piece)
        if not code:
            css = "".join(f"{key}:{value};" for key, value in style.items())
            pieces.append(f'<span style="{css}">{html.escape(piece)}</span>')
            continue
        for number in [int(number or 0) for number in code[1].split(";")]:
            if number == 0:
                style = {}
            elif number == 1:
                style["font-weight"] = "bold"
            elif number == 2:
                style["opacity"] = "0.7"
            elif number == 4:
                style["text-decoration"] = "underline"
            elif number == 7:
                ground, ink = GROUND[theme]
                style.update({"background": ink, "color": ground})
            elif number - 60 in COLOURS[theme] or number in COLOURS[theme]:
                style["color"] = COLOURS[theme][number if number < 40 else number - 60]
            elif number == 39:
                style.pop("color", None)
    return "".join(pieces)


def console_page(text, theme):
    ground, ink = GROUND[theme]
    style = f"margin:0;background:{ground};color:{ink}"
    block = "margin:0;padding:20px;font:14px/1.45 DejaVu Sans Mono,monospace;white-space:pre-wrap"
    shell = "$ tidings run\n\n"
    return (
        f'<!doctype html><meta charset="utf-8"><body style="{style}">'
        f'<pre id="all" style="{block}">{shell}{painted(text.strip(), theme)}</pre>'
    )


def mail_page(mail, theme):
    """The mail as a mail program shows it: its head above its HTML part."""
    ground, ink = GROUND[theme]
    body = mail.get_body(("html",)).get_content()
    head = "".join(
        f'<div><span style="opacity:0.65">{name}</span>&ensp;{html.escape(mail[name])}</div>'
        for name in ("From", "To", "Subject")
    )
    head = (
        f'<div style="padding:14px 20px;border-bottom:1px solid #9a9a9a;'
        f'font:14px/1.5 Segoe UI,Helvetica,Arial,sans-serif">{head}</div>'
    )
    body = body.replace('content="light dark"', f'content="{theme}"')
    body = body.replace("<body style=\"", f'<body style="background:{ground};color:{ink};')
    return re.sub(r"(<body[^>]*>)", lambda found: found[1] + head, body, count=1)


def height(chromium, page, profile):
    """The height of a page in pixels, as Chromium lays it out."""
    asking = page.with_suffix(".height.html")
    script = "<script>document.title='H'+document.body.scrollHeight</script>"
    asking.write_text(page.read_text() + script)
    flags = flags_of(profile) + [f"--window-size={WIDTH},100", "--dump-dom", asking.as_uri()]
    shown = subprocess.run([chromium, *flags], capture_output=True, text=True, check=True).stdout
    return int(re.search(r"<title>H(\d+)", shown)[1])


def flags_of(profile):
    return [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--no-first-run",
        "--disable-background-networking",
        "--hide-scrollbars",
        f"--user-data-dir={profile}",
    ]


def picture(chromium, page, theme, target, profile):
    size = f"--window-size={WIDTH},{height(chromium, page, profile)}"
    scheme = f"--blink-settings=preferredColorScheme={0 if theme == 'dark' else 1}"
    flags = [*flags_of(profile), size, scheme, f"--screenshot={target}", page.as_uri()]
    subprocess.run([chromium, *flags], capture_output=True, check=True)
    if pngquant := shutil.which("pngquant"):
        subprocess.run([pngquant, "--force", "--strip", "--output", target, "64", target], check=True)
    if target.stat().st_size > LARGEST:
        sys.exit(f"{target} has {target.stat().st_size} bytes; {LARGEST} are allowed")


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--tidings", default=ROOT / "target" / "debug" / "tidings")
    tidings = arguments.parse_args().tidings
    chromium = shutil.which("chromium") or sys.exit("chromium is not installed")
    with tempfile.TemporaryDirectory() as temporary:
        temporary = Path(temporary)
        profile = temporary / "profile"
        with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Mail) as server:
            server.mails = []
            threading.Thread(target=server.serve_forever, daemon=True).start()
            folders = [temporary / "console", temporary / "desk"]
            for folder in folders:
                folder.mkdir()
            printed = run(tidings, folders[0], "console", server.server_address[1])
            run(tidings, folders[1], "desk", server.server_address[1])
            server.shutdown()
        parse = lambda data: email.message_from_bytes(data, policy=email.policy.default)
        mails = [mail for mail in map(parse, server.mails) if SHOWN in mail["Subject"]]
        if not mails:
            sys.exit("the mail did not come")
        for theme in ("light", "dark"):
            pages = {
                "mail": mail_page(mails[0], theme),
                "console": console_page(printed, theme),
            }
            for name, text in pages.items():
                page = temporary / f"{name}-{theme}.html"
                page.write_text(text)
                picture(chromium, page, theme, PICTURES / f"{name}-{theme}.png", profile)


if __name__ == "__main__":
    main()

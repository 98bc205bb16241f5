#!/usr/bin/env python3
"""Reads the pages of public test sets with `tidings explain PAGE --text`, and compares the texts with those that the sets expect.

    cargo build --release && python3 benches/pages.py [--readability FOLDER] [--newspaper FOLDER] [--trafilatura FOLDER] [--against BINARY]

The folders are clones of mozilla/readability, AndyTheFactory/newspaper4k and adbar/trafilatura. `docs/benchmarks.md` says what the numbers mean.
"""

import argparse
import collections
import concurrent.futures
import html
import json
import os
import pathlib
import re
import subprocess
import sys

SHINGLE = 4


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("readability", "newspaper", "trafilatura"):
        arguments.add_argument(f"--{name}", type=pathlib.Path, metavar="FOLDER")
    arguments.add_argument("--against", type=pathlib.Path, metavar="BINARY", help="measure another build, too")
    arguments = arguments.parse_args()
    own = pathlib.Path(__file__).resolve().parent.parent / "target/release/tidings"
    sets = [
        (name, pages(folder))
        for name, folder, pages in (
            ("readability", arguments.readability, readability_pages),
            ("newspaper4k", arguments.newspaper, newspaper_pages),
            ("trafilatura", arguments.trafilatura, trafilatura_pages),
        )
        if folder
    ]
    if not sets:
        sys.exit("name the folder of a test set: --readability, --newspaper or --trafilatura")
    for binary in filter(None, (arguments.against, own)):
        print(binary)
        for name, pages in sets:
            with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
                texts = list(pool.map(lambda page: text_of(binary, page["file"]), pages))
            print(f"  {name}: {len(pages)} pages, {texts.count('')} of them without a text; {score(pages, texts)}")


def text_of(binary, file):
    """The text that rules see, without its headline and the line that says how much was read."""
    done = subprocess.run([binary, "explain", file, "--text"], capture_output=True)
    parts = done.stdout.decode("utf-8", "replace").split("\n\n", 1)
    return parts[1] if done.returncode == 0 and len(parts) == 2 else ""


def readability_pages(folder):
    tests = sorted((folder / "test/test-pages").iterdir())
    return [{"file": test / "source.html", "text": plain(test / "expected.html")} for test in tests if (test / "expected.html").exists()]


def newspaper_pages(folder):
    data = folder / "tests/data"
    pairs = [(data / "html" / f"{text.stem}.html", text) for text in sorted((data / "txt").iterdir())]
    return [{"file": page, "text": text.read_text()} for page, text in pairs if page.exists()]


def trafilatura_pages(folder):
    tests = json.loads((folder / "tests/evaldata.json").read_text()).values()
    places = [folder / "tests/cache", folder / "tests/eval"]
    found = ((test, next((place / test["file"] for place in places if (place / test["file"]).exists()), None)) for test in tests)
    return [{**test, "file": file} for test, file in found if file]


def plain(file):
    """The text of HTML: a space for each tag of a block, nothing for other tags."""
    text = re.sub(r"(?s)<(script|style)\b.*?</\1>", " ", file.read_text())
    text = re.sub(r"</?(?:a|abbr|b|code|em|font|i|small|span|strong|sub|sup|u)\b[^>]*>", "", text)
    return html.unescape(re.sub(r"<[^>]*>", " ", text))


def score(pages, texts):
    if "text" in pages[0]:
        pairs = [precision_and_recall(page["text"], text) for page, text in zip(pages, texts)]
        precision, recall = (sum(part) / len(pairs) for part in zip(*pairs))
        return f"precision {precision:.4f}, recall {recall:.4f}, F1 {f1(precision, recall):.4f}"
    found = {kind: [folded(part) in folded(text) for page, text in zip(pages, texts) for part in page[kind]] for kind in ("with", "without")}
    right, wrong = sum(found["with"]), sum(found["without"])
    precision, recall = right / (right + wrong), right / len(found["with"])
    return (
        f"{right} of {len(found['with'])} parts that belong to the article, {wrong} of {len(found['without'])} that do not; F1 {f1(precision, recall):.4f}"
    )


def precision_and_recall(expected, text):
    """Of runs of four words, as the article-extraction-benchmark counts them."""
    expected, text = shingles(expected), shingles(text)
    common = sum((expected & text).values())
    share = lambda counts: common / sum(counts.values()) if counts else float(not (expected or text))
    return share(text), share(expected)


def shingles(text):
    words = re.findall(r"\w+", text.lower())
    return collections.Counter(tuple(words[at : at + SHINGLE]) for at in range(max(1, len(words) - SHINGLE + 1)) if words)


def f1(precision, recall):
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def folded(text):
    return " ".join(text.split()).replace("\u00ad", "").replace("’", "'").replace("‘", "'")


if __name__ == "__main__":
    main()

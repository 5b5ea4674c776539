"""Adds up what the checks, the Go tests and pytest reported.

    tally.py watch        reads `go test -json` and says how each package fared
    tally.py sum FOLDER   reads checks.tsv, go.json and *.xml and closes with
                          "N passed, N failed, N skipped"
"""

import json
import sys
import xml.etree.ElementTree as ET
from collections import Counter, defaultdict
from pathlib import Path

OUTCOMES = {"pass": "passed", "fail": "failed", "skip": "skipped"}
TAIL = 40  # lines of a failed test's output that are shown again at the end


def events(lines):
    """The events of `go test -json` (cmd/test2json); a line that is none is passed by."""
    for line in lines:
        try:
            event = json.loads(line)
        except ValueError:
            continue
        if isinstance(event, dict):
            yield event


def watch(lines):
    failed = False
    output = defaultdict(list)
    for event in events(lines):
        package, action = event.get("Package") or event.get("ImportPath", ""), event.get("Action")
        if action in ("output", "build-output"):
            output[package].append(event.get("Output", ""))
        elif action in OUTCOMES and "Test" not in event:
            print(f"    {OUTCOMES[action]}: {package} {event.get('Elapsed', 0):.1f} s", flush=True)
            failed |= action == "fail"
        elif action == "build-fail":
            print("".join(output[package][-TAIL:]), flush=True)
    return failed


def read_go(path):
    """Yields (outcome, name, output) for every test, and for each package that
    failed without a failing test of its own: one that does not build, or whose
    process died."""
    output, failures, broken = defaultdict(list), Counter(), []
    with open(path, encoding="utf-8", errors="replace") as lines:
        for event in events(lines):
            package, test, action = event.get("Package", ""), event.get("Test"), event.get("Action")
            if action == "output":
                output[package, test].append(event.get("Output", ""))
            elif action in OUTCOMES and test:
                failures[package] += action == "fail"
                yield OUTCOMES[action], f"{package}.{test}", "".join(output.pop((package, test), []))
            elif action == "fail":
                broken.append(package)
    for package in broken:
        if not failures[package]:
            yield "failed", package, "".join(output[package, None])


def read_junit(path):
    for case in ET.parse(path).getroot().iter("testcase"):
        name = f"{case.get('classname')}.{case.get('name')}"
        bad = case.find("failure") if case.find("failure") is not None else case.find("error")
        if bad is not None:
            yield "failed", name, bad.text or bad.get("message", "")
        elif case.find("skipped") is not None:
            yield "skipped", f"{name}: {case.find('skipped').get('message', '')}", ""
        else:
            yield "passed", name, ""


def read_checks(path):
    for line in path.read_text().splitlines():
        outcome, name = line.split("\t")
        yield outcome, name, ""


def results(folder):
    if (folder / "checks.tsv").exists():
        yield from read_checks(folder / "checks.tsv")
    if (folder / "go.json").exists():
        yield from read_go(folder / "go.json")
    for path in sorted(folder.glob("*.xml")):
        yield from read_junit(path)


def add_up(folder):
    count = Counter()
    for outcome, name, output in results(folder):
        count[outcome] += 1
        if outcome != "passed":
            print(f"{outcome}: {name}")
        if outcome == "failed" and output:
            print("\n".join("    " + line for line in output.splitlines()[-TAIL:]))
    print(f"{count['passed']} passed, {count['failed']} failed, {count['skipped']} skipped")
    return count["failed"] > 0 or count["passed"] == 0


def main():
    if sys.argv[1:] == ["watch"]:
        return watch(sys.stdin)
    if len(sys.argv) == 3 and sys.argv[1] == "sum":
        return add_up(Path(sys.argv[2]))
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())

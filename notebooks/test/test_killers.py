"""Cells that end an ordinary Go process. After each the next cell must answer on
the same connection, the failure must say what happened, and the values of earlier
cells must survive unless the process itself had to end."""

import re
from dataclasses import dataclass

import psutil
import pytest

from session import Session

GIB = 1 << 30


@dataclass
class Killer:
    name: str
    code: str
    says: str  # what the failure must tell, as a regular expression
    status: str = "error"
    ends: bool = False  # the process cannot go on: values may be lost, and are then named
    after: float = 0  # seconds until it strikes, once the cell has ended
    limit: tuple = ()


KILLERS = [
    Killer("panic", 'panic("boom")', "panic: .*boom"),
    Killer("nil-map", 'var m map[string]int\nm["a"] = 1', "assignment to entry in nil map"),
    Killer(
        "index",
        'import "fmt"\na := []int{1}\nat := 3\nfmt.Println(a[at])',
        r"index out of range \[3\] with length 1",
    ),
    Killer(
        "goroutine-panic",
        'import "time"\ngo func() { panic("in the goroutine") }()\ntime.Sleep(2 * time.Second)',
        "panic: .*in the goroutine",
    ),
    Killer(
        "late-goroutine-panic",
        'import "time"\ngo func() { time.Sleep(500 * time.Millisecond); panic("too late") }()',
        "panic: .*too late",
        status="ok",
        after=2,
    ),
    Killer(
        "recursion",
        'import "fmt"\nfunc down(n int) int { return down(n+1) + 1 }\nfmt.Println(down(0))',
        "stack overflow|stack exceeds",
        ends=True,
    ),
    Killer("exit", 'import "os"\nos.Exit(3)', r"(?i)exit.*\b3\b", ends=True),
    Killer("log-fatal", 'import "log"\nlog.Fatal("last words")', "last words", ends=True),
    Killer(
        "map-race",
        'import "sync"\nm := map[int]int{}\nvar wg sync.WaitGroup\n'
        "for g := 0; g < 8; g++ {\n\twg.Add(1)\n\tgo func() {\n\t\tdefer wg.Done()\n"
        "\t\tfor i := 0; i < 10_000_000; i++ {\n\t\t\tm[i%1000] = g\n\t\t}\n\t}()\n}\nwg.Wait()",
        "concurrent map (writes|read and map write)",
        ends=True,
    ),
    Killer("closed-channel", "c := make(chan int)\nclose(c)\nclose(c)", "close of closed channel"),
    Killer(
        "out-of-memory",
        "var held [][]byte\nfor {\n\tb := make([]byte, 256<<20)\n"
        "\tfor i := 0; i < len(b); i += 4096 {\n\t\tb[i] = 1\n\t}\n\theld = append(held, b)\n}",
        "(?i)out of memory|memory limit|cannot allocate",
        ends=True,
        limit=(psutil.RLIMIT_AS, 4 * GIB),
    ),
    Killer(
        "descriptors",
        'import "os"\nvar files []*os.File\nfor {\n\tf, err := os.Open("/dev/null")\n'
        "\tif err != nil {\n\t\tpanic(err)\n\t}\n\tfiles = append(files, f)\n}",
        "too many open files",
        limit=(psutil.RLIMIT_NOFILE, 256),
    ),
    Killer(
        "sigsegv",
        'import ("syscall"; "time")\nsyscall.Kill(syscall.Getpid(), syscall.SIGSEGV)\n'
        "time.Sleep(5 * time.Second)",
        "SIGSEGV|segmentation",
        ends=True,
    ),
    Killer("nil-func", "var f func()\nf()", "nil pointer dereference|invalid memory address"),
    Killer("syntax", "x := := 1", "syntax error|expected"),
    Killer("type", 'var n int = "text"', r'cannot use "text"'),
    Killer(
        "flood",
        'import "fmt"\nfor i := 0; i < 300_000; i++ {\n\tfmt.Println("line", i)\n}',
        "",
        status="ok",
    ),
    Killer("close-stdout", 'import "os"\nos.Stdout.Close()', "", status="ok"),
]

SETUP = 'import "fmt"\nvar kept = 41\ntype point struct{ X, Y int }\nvar at2 = point{3, 4}'


def strike(session, killer):
    """Runs the killer and checks its own reply."""
    outcome = session.run(killer.code)
    said = outcome.said
    if killer.after:
        said += session.leftovers(killer.after).said
    assert outcome.status == killer.status, said
    assert re.search(killer.says, said), said
    if killer.name == "flood":
        lines = outcome.stdout.splitlines()
        assert len(lines) == 300_000 and lines[-1] == "line 299999"
    return said


def answers(session):
    outcome = session.run("fmt.Println(6 * 7)")
    if outcome.status == "error":  # a fresh process knows no imports of its own
        raise AssertionError(outcome.said)
    assert outcome.stdout == "42\n", outcome.said


def check_values(session, killer, said):
    outcome = session.run("fmt.Println(kept+1, at2.X+at2.Y)")
    if outcome.status == "ok":
        assert outcome.stdout == "42 7\n"
        return
    assert killer.ends, f"values were lost: {outcome.said}"
    assert "kept" in said and "at2" in said, f"lost, and not named: {said}"


@pytest.mark.parametrize("killer", KILLERS, ids=lambda k: k.name)
def test_survives(session, killer):
    assert session.run(SETUP).status == "ok"
    if killer.limit:
        session.limit(*killer.limit)
    pid = session.pid
    said = strike(session, killer)
    answers(session)
    check_values(session, killer, said)
    assert session.pid == pid and session.manager.is_alive()


def test_all_in_one_session():
    """One after the other on one connection, with the session's values set anew
    where a process had to end."""
    session = Session()
    try:
        for killer in KILLERS:
            if killer.limit:
                continue  # a limit would stay for those that follow
            assert session.run(SETUP).status == "ok", killer.name
            said = strike(session, killer)
            answers(session)
            check_values(session, killer, said)
    finally:
        session.close()

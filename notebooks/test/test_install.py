"""What install.sh answers to a user who asks, or mistypes."""

import subprocess
from pathlib import Path

SCRIPT = Path(__file__).resolve().parents[2] / "install.sh"


def install(*arguments):
    return subprocess.run([SCRIPT, *arguments], capture_output=True, text=True, timeout=60)


def test_help():
    done = install("help")
    assert done.returncode == 0 and done.stderr == ""
    for word in ("lab", "test", "bench", "uninstall", "--prefix"):
        assert word in done.stdout


def test_an_unknown_word_names_the_remedy():
    done = install("instal")
    assert done.returncode != 0
    assert "instal" in done.stderr and "./install.sh help" in done.stderr


def test_a_prefix_needs_a_folder():
    done = install("--prefix")
    assert done.returncode != 0 and "--prefix DIR" in done.stderr

import os
import struct
from pathlib import Path

import pytest

from session import Session

ROOT = Path(__file__).resolve().parents[2]


def pytest_addoption(parser):
    parser.addoption("--update", action="store_true", help="write the README's pictures anew; look at them")


@pytest.fixture(autouse=True, scope="session")
def history(tmp_path_factory):
    """A history of its own: what tests run is none of the user's."""
    os.environ["ATTUNE_HISTORY"] = str(tmp_path_factory.mktemp("history") / "history.jsonl")


@pytest.fixture
def session():
    kernel = Session()
    yield kernel
    kernel.close()


def size(picture):
    """The width and height of a PNG."""
    return struct.unpack(">II", picture.read_bytes()[16:24])


@pytest.fixture
def readme(request):
    """Checks a screenshot that the README shows, given by its name, and what takes it.
    With --update it becomes the README's own; without, that must be of about its shape."""

    def take(name, shoot):
        stored = ROOT / "notebooks" / name
        taken = ROOT / ".build" / "screens" / name
        taken.parent.mkdir(parents=True, exist_ok=True)
        shoot(path=taken)
        assert taken.stat().st_size < 300_000, f"{name} is too large for a page to load"
        if request.config.getoption("--update"):
            stored.write_bytes(taken.read_bytes())
        wide, high = size(taken)
        assert abs(wide / high / (size(stored)[0] / size(stored)[1]) - 1) < 0.35, f"{name} is not what the README shows"
        assert wide >= 700

    return take

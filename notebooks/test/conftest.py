import os

import pytest

from session import Session


@pytest.fixture(autouse=True, scope="session")
def history(tmp_path_factory):
    """A history of its own: what tests run is none of the user's."""
    os.environ["ATTUNE_HISTORY"] = str(tmp_path_factory.mktemp("history") / "history.jsonl")


@pytest.fixture
def session():
    kernel = Session()
    yield kernel
    kernel.close()

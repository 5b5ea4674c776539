import pytest

from session import Session


@pytest.fixture
def session():
    kernel = Session()
    yield kernel
    kernel.close()

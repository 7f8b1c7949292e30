from collections.abc import Iterator

import pytest

from tests.smtp import postfix


@pytest.fixture(scope="session")
def relay() -> Iterator[postfix.Postfix]:
    """A real Postfix for the whole run, or a skip that says why there is none."""
    if reason := postfix.why_not():
        pytest.skip(reason)
    with postfix.running() as server:
        yield server

"""Options of the test suite. The rules are tested as they ship, whatever this machine's own site sets."""

import os

import pytest

os.environ["MDA5_SITE"] = ""


@pytest.fixture
def put_rules():
    """Puts other rules in the place of those that ship until the test ends (tests/some_rules.py)."""
    from tests import some_rules

    with some_rules.in_use() as put:
        yield put


def pytest_addoption(parser) -> None:
    parser.addoption(
        "--update-golden", action="store_true", help="rewrite tests/golden/expected from what comes out now"
    )

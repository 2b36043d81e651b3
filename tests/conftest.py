"""Options of the test suite. The rules are tested as they ship, whatever this machine's own site sets."""

import os

os.environ["MDA5_SITE"] = ""


def pytest_addoption(parser) -> None:
    parser.addoption(
        "--update-golden", action="store_true", help="rewrite tests/golden/expected from what comes out now"
    )

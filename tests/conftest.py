"""Options of the test suite."""


def pytest_addoption(parser) -> None:
    parser.addoption(
        "--update-golden", action="store_true", help="rewrite tests/golden/expected from what comes out now"
    )

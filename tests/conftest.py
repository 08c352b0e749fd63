"""Makes ComfyUI's source, the tools and this pack importable: the pack as ComfyUI loads it, by its path."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

PACK = Path(__file__).resolve().parent.parent


sys.path[:0] = [str(PACK / folder) for folder in ("tests", "tests/goldens", "tools")]

from importable import make_importable  # noqa: E402

make_importable(cpu=True)  # the tolerances are those of float32


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--may-skip",
        action="append",
        default=[],
        metavar="WORD",
        help="fail when a test is skipped, unless this word is in its reason (may be given several times)",
    )
    parser.addoption("--pictures", action="store_true", help="the tests of the editor renew the pictures in docs/")


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fails the run for skips that must not happen here; they would hide that nothing was tested."""
    words: list[str] = session.config.getoption("--may-skip")
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or not words:
        return
    for report in reporter.stats.get("skipped", []):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        if not any(word in reason for word in words):
            reporter.write_line(f"\nmust not be skipped here: {report.nodeid}: {reason}", red=True)
            session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of large test material beside the repository; tests that need it skip without it."""
    folder = PACK.parent / "shared"
    if not (folder / "goldens").is_dir():
        pytest.skip("the folder ../shared with large goldens, clips and weights is not here")
    return folder


@pytest.fixture(scope="session")
def goldens() -> Path:
    """The small goldens kept in the repository."""
    return PACK / "tests" / "goldens"

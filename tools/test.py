"""Runs the tests in the environment made for them, ComfyUI included.

    python tools/test.py [arguments for pytest]

ComfyUI's log, the editor's screenshots and pytest's report of a run are kept in a folder named when a test fails.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import environment

PACK = Path(__file__).resolve().parent.parent
KEPT_RUNS = 10


def main() -> int:
    environment.enter()
    logs = new_log_folder(environment.cache_folder() / "test-logs")
    command = [sys.executable, "-m", "pytest", f"--junit-xml={logs / 'report.xml'}", *sys.argv[1:]]
    exit_code = subprocess.run(command, cwd=PACK, env=os.environ | {"LIPSYNC_STUDIO_LOGS": str(logs)}).returncode
    if exit_code:
        print(f"The logs of this run are in {logs}")
    return exit_code


def new_log_folder(place: Path) -> Path:
    """An empty folder in `place`; of the older ones, the latest few stay."""
    place.mkdir(parents=True, exist_ok=True)
    runs = sorted(place.glob("run-*"), key=lambda folder: folder.stat().st_mtime)
    for old in runs[: 1 - KEPT_RUNS]:
        shutil.rmtree(old, ignore_errors=True)
    return Path(tempfile.mkdtemp(prefix="run-", dir=place))


if __name__ == "__main__":
    sys.exit(main())

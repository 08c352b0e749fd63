"""Makes a folder appear in a second place, on every system."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def link_folder(target: Path, link: Path) -> None:
    """Make `link` lead to the folder `target`; an older link is replaced, a real folder never is."""
    if os.path.lexists(link):
        if os.path.realpath(link) == os.path.realpath(target):
            return
        link.unlink()  # refuses folders
    if sys.platform == "win32":  # a junction needs no privilege, a symbolic link does
        subprocess.run(["cmd", "/c", "mklink", "/J", link, target], check=True, stdout=subprocess.DEVNULL)
    else:
        link.symlink_to(target, target_is_directory=True)

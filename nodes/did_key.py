"""The user's D-ID key and where it is: DID_API_KEY, else a file that ComfyUI never serves. And where D-ID is."""

from __future__ import annotations

import logging
import os
import stat
from pathlib import Path
from typing import Literal

import folder_paths

from ..pipelines.cloud.journal import Journal, write_private
from ..pipelines.cloud.key import ApiKey
from ..pipelines.cloud.service import DID, Service, local_service
from ..pipelines.core.errors import CloudError, InputError

log = logging.getLogger(__name__)

KEY_VARIABLE = "DID_API_KEY"
URL_VARIABLE = "LIPSYNC_STUDIO_DID_URL"  # for tests: an address of this machine
NO_KEY = (
    f"No D-ID key is set. Set the environment variable {KEY_VARIABLE}, or paste the key in ComfyUI's settings under "
    "LipSync Studio."
)

Whence = Literal["environment", "file", "nowhere"]


def whence() -> Whence:
    """Where the key would be taken from."""
    if os.environ.get(KEY_VARIABLE, "").strip():
        return "environment"
    return "file" if _file().exists() else "nowhere"


def current_key() -> ApiKey:
    """The key. Raises InputError when there is none or it cannot be one; never with the key in the message."""
    if whence() == "environment":
        return ApiKey.read(os.environ[KEY_VARIABLE])
    try:
        _keep_private(_file())
        return ApiKey.read(_file().read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(expected="a D-ID key", got="none", next_step=NO_KEY) from None
    except (OSError, ValueError) as error:
        raise InputError(
            expected="a file with the D-ID key",
            got=f"one that cannot be read ({type(error).__name__})",
            next_step="Set the key again in ComfyUI's settings under LipSync Studio.",
        ) from None


def keep_key(key: ApiKey) -> None:
    """Into the file that only its owner may read. Raises CloudError when it cannot be written."""
    try:
        _folder().mkdir(mode=0o700, parents=True, exist_ok=True)
        write_private(_file(), key.text)
    except OSError as error:
        raise _not_writable(error) from None


def forget_key() -> None:
    """Delete the file. A key in the environment stays: only who starts ComfyUI can take it away.

    Raises CloudError when it cannot be deleted.
    """
    try:
        for file in _folder().glob(f"{_file().name}*"):  # with what a crash left half written
            file.unlink(missing_ok=True)
    except OSError as error:
        raise _not_writable(error) from None


def current_service() -> Service:
    """D-ID. Raises InputError when the variable for tests names another machine."""
    url = os.environ.get(URL_VARIABLE, "").strip()
    return local_service(url) if url else DID


def current_journal() -> Journal:
    return Journal(_folder() / "did_jobs")


def _not_writable(error: OSError) -> CloudError:
    return CloudError(
        expected="ComfyUI's user folder to be writable",
        got=error.strerror or type(error).__name__,
        next_step=f"Let ComfyUI write to it, or set {KEY_VARIABLE}.",
    )


def _folder() -> Path:
    """ComfyUI serves nothing from here."""
    return Path(folder_paths.get_system_user_directory("lipsync_studio"))


def _file() -> Path:
    return _folder() / "did_key"


def _keep_private(file: Path) -> None:
    """Take the file's rights from everybody else, should it have been copied here. (Windows has no such bits.)"""
    if os.name == "posix" and stat.S_IMODE(file.stat().st_mode) & 0o077:
        log.warning("LipSync Studio: others could read the file with the D-ID key; now only its owner can.")
        file.chmod(0o600)

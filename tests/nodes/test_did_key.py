"""Where the D-ID key comes from, and that only its owner can read its file."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import folder_paths
import pytest
from did_fake import KEY
from lipsync_studio.nodes.did_key import (
    current_journal,
    current_key,
    current_service,
    forget_key,
    keep_key,
    whence,
)
from lipsync_studio.pipelines.cloud.key import ApiKey
from lipsync_studio.pipelines.core.errors import CloudError, InputError


@pytest.fixture(autouse=True)
def user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """ComfyUI's user folder, empty; no key in the environment."""
    monkeypatch.setattr(folder_paths, "user_directory", str(tmp_path))
    monkeypatch.delenv("DID_API_KEY", raising=False)
    monkeypatch.delenv("LIPSYNC_STUDIO_DID_URL", raising=False)
    return tmp_path


def key_file(user: Path) -> Path:
    (file,) = [file for file in user.rglob("*") if file.is_file()]
    return file


def test_a_key_is_kept_and_forgotten(user: Path) -> None:
    assert whence() == "nowhere"
    with pytest.raises(InputError, match="DID_API_KEY"):
        current_key()
    keep_key(ApiKey(KEY))
    assert (whence(), current_key()) == ("file", ApiKey(KEY))
    keep_key(ApiKey("other:key123"))
    assert current_key() == ApiKey("other:key123")
    forget_key()
    forget_key()
    assert whence() == "nowhere"
    assert [file for file in user.rglob("*") if file.is_file()] == []


def test_what_a_crash_left_half_written_is_forgotten_too(user: Path) -> None:
    keep_key(ApiKey(KEY))
    file = key_file(user)
    file.rename(file.with_name(f"{file.name}.0a1b.part"))
    forget_key()
    assert [file for file in user.rglob("*") if file.is_file()] == []


def test_a_key_that_cannot_be_deleted_is_told(user: Path) -> None:
    (user / "__lipsync_studio" / "did_key").mkdir(parents=True)
    with pytest.raises(CloudError, match="user folder"):
        forget_key()


def test_the_environment_goes_before_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    keep_key(ApiKey("other:key123"))
    monkeypatch.setenv("DID_API_KEY", f" Basic {KEY}\n")
    assert (whence(), current_key()) == ("environment", ApiKey(KEY))
    forget_key()
    assert whence() == "environment"
    monkeypatch.setenv("DID_API_KEY", " ")
    assert whence() == "nowhere"


def test_comfyui_never_serves_the_file(user: Path) -> None:
    keep_key(ApiKey(KEY))
    folder = key_file(user).relative_to(user).parts[0]
    assert folder.startswith(folder_paths.SYSTEM_USER_PREFIX)
    assert folder_paths.get_public_user_directory(folder) is None
    assert current_journal().folder.relative_to(user).parts[0] == folder


def test_only_its_owner_can_read_it(user: Path) -> None:
    if os.name != "posix":
        pytest.skip("Windows has no such bits")
    keep_key(ApiKey(KEY))
    assert stat.S_IMODE(key_file(user).stat().st_mode) == 0o600
    key_file(user).chmod(0o644)
    current_key()
    assert stat.S_IMODE(key_file(user).stat().st_mode) == 0o600


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b"two words"])
def test_a_damaged_file_is_told_without_its_content(user: Path, content: bytes) -> None:
    keep_key(ApiKey(KEY))
    key_file(user).write_bytes(content)
    with pytest.raises(InputError) as failed:
        current_key()
    assert "two words" not in str(failed.value)


def test_a_folder_that_cannot_be_written(user: Path) -> None:
    (user / "__lipsync_studio").write_text("a file")
    with pytest.raises(CloudError, match="user folder"):
        keep_key(ApiKey(KEY))


def test_where_the_service_is(monkeypatch: pytest.MonkeyPatch) -> None:
    assert current_service().base == "https://api.d-id.com"
    monkeypatch.setenv("LIPSYNC_STUDIO_DID_URL", "http://127.0.0.1:8000")
    assert current_service().base == "http://127.0.0.1:8000"
    monkeypatch.setenv("LIPSYNC_STUDIO_DID_URL", "https://evil.example")
    with pytest.raises(InputError, match="address of this machine"):
        current_service()

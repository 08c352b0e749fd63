"""Unpacking an archive that came over the network."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path, PurePosixPath

import pytest
from fetch_comfyui import unpack


def archive_of(path: Path, files: dict[str, bytes], links: dict[str, str]) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
        for name, target in links.items():
            member = tarfile.TarInfo(name)
            member.type, member.linkname = tarfile.SYMTYPE, target
            tar.addfile(member)
    return path


def test_only_files_of_the_folder_come_out(tmp_path: Path) -> None:
    files = {"a/vendor/x/main.py": b"1", "a/vendor/x/deep/er.py": b"2", "a/other.py": b"3", "/etc/passwd": b"4"}
    archive = archive_of(tmp_path / "a.tar.gz", files, {"a/vendor/x/link": "/etc"})
    unpack(archive, PurePosixPath("a/vendor/x"), tmp_path / "out")
    out = {path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*") if path.is_file()}
    assert out == {"main.py", "deep/er.py"}
    assert (tmp_path / "out" / "deep" / "er.py").read_bytes() == b"2"


def test_a_file_that_would_land_outside_is_refused(tmp_path: Path) -> None:
    archive = archive_of(tmp_path / "a.tar.gz", {"a/x/../../evil.py": b"1"}, {})
    with pytest.raises(RuntimeError, match="outside"):
        unpack(archive, PurePosixPath("a/x"), tmp_path / "deep" / "out")
    assert list(tmp_path.rglob("evil.py")) == []

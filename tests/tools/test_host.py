"""Starting ComfyUI when it cannot be started."""

from __future__ import annotations

from pathlib import Path
from socket import create_server

import host
import pytest


def test_a_server_that_ends_early_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "main.py").write_text("print('no module named luck')\nraise SystemExit(3)\n")
    monkeypatch.setenv("COMFYUI_PATH", str(tmp_path))
    message = r"(?s)no module named luck.*exit code 3.*server\.log"
    with pytest.raises(host.ServerStartError, match=message), host.running(tmp_path, tmp_path / "server.log", cpu=True):
        pass


def test_a_port_in_use_is_refused(tmp_path: Path) -> None:
    with create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        starting = host.running(tmp_path, tmp_path / "server.log", cpu=True, port=port)
        with pytest.raises(host.ServerStartError, match=str(port)), starting:
            pass

"""What a ComfyUI leaves behind that ends in the middle of its work, and inputs that go while they are read."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

import host
import portrait_clip
import pytest
from client import Event
from draft_graphs import message_of, saved, video_graph

FRAMES = 150  # long enough to be hit while it is worked on


def test_kill_9_leaves_no_half_result_and_the_next_start_works(tmp_path: Path, logs: Path) -> None:
    log = logs / "comfyui_killed.log"
    with host.running(tmp_path, log, cpu=True) as server:
        clip = portrait_clip.write(server.input / "clip.mp4", FRAMES).name
        speech = portrait_clip.write_speech(server.input / "speech.wav", FRAMES / 25).name
        killed = []

        def kill(event: Event) -> None:
            if event.kind == "progress_text" and "Lip-sync" in event.data["text"] and not killed:
                killed.append(list(server.temp.glob("lipsync*")))
                server.process.kill()

        with pytest.raises(ConnectionError):
            server.run(video_graph(clip, speech), on_event=kill)
    assert killed
    assert list(tmp_path.glob("output/**/*.mp4")) == []
    with host.running(tmp_path, log, cpu=True) as server:
        assert list(server.temp.glob("lipsync*")) == []
        short = portrait_clip.write(server.input / "short.mp4", 5).name
        assert saved(server, server.run(video_graph(short, speech, audio_longer="stop"))).stat().st_size > 0


@pytest.mark.skipif(sys.platform == "win32", reason="Windows deletes no file that is being read")
def test_an_input_deleted_while_it_is_read_is_explained(comfyui: host.Server, speech: str) -> None:
    doomed = portrait_clip.write(comfyui.input / "doomed.mp4", FRAMES)
    deleted = threading.Event()

    def delete(event: Event) -> None:
        if event.kind == "progress_text" and not deleted.is_set():
            doomed.unlink()
            deleted.set()

    result = comfyui.run(video_graph(doomed.name, speech), on_event=delete)
    assert deleted.is_set()
    assert "doomed.mp4" in message_of(result)
    assert "Expected" in message_of(result)
    assert list(comfyui.output.glob("doomed*")) == []

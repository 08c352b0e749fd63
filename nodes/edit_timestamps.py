"""Words and lines with their times, corrected by a person who hears and sees them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, get_args

from comfy_api.latest import io
from server import PromptServer

from ..pipelines.audio.fingerprint import audio_fingerprint
from ..pipelines.core.errors import InputError
from ..pipelines.core.lyrics import Timings
from ..pipelines.lyrics.edits import WhenChanged, aligned_words, read_edits, state_of, timings_fingerprint, what_changed
from ..pipelines.lyrics.formats import json_words
from .inputs import audio_clip
from .sockets import LipSyncTimings, WhisperAlignment
from .timestamps_routes import SOUNDS

ASKS = "lipsync_studio.timestamps"  # the message to the editor when a run stops to ask


class EditTimestamps(io.ComfyNode):
    """Node: timings through an editor."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="LipSyncEditTimestamps",
            display_name="Edit Timestamps",
            category="LipSync Studio",
            description="Passes timings on as you correct them in its editor: words over the waveform, tapping along, "
            "splitting and merging, with undo and a karaoke preview. Edits are saved in the workflow.",
            search_aliases=["lyrics editor", "subtitle editor", "karaoke", "word timestamps", "sync", "timing", "lrc"],
            inputs=[
                io.Audio.Input("audio", tooltip="What the words are said or sung in."),
                LipSyncTimings.Input("timings"),
                io.Float.Input(
                    "fps",
                    default=25.0,
                    min=1.0,
                    max=240.0,
                    step=0.001,
                    optional=True,
                    tooltip="Frames per second of the video, for steps by one frame and for snapping to frames.",
                ),
                io.Combo.Input(
                    "when_changed",
                    options=list(get_args(WhenChanged)),
                    default="ask",
                    optional=True,
                    tooltip="When there are edits, but other audio or other timings come in. ask: stop, and the editor "
                    "asks. keep edits: give the edits all the same. use new timings: give what comes in; the edits "
                    "stay saved.",
                ),
                io.String.Input(
                    "edits",
                    default="",
                    optional=True,
                    socketless=True,
                    tooltip="What the editor saves. Leave it out of a graph in API format to pass the timings through.",
                ),
            ],
            outputs=[
                LipSyncTimings.Output(display_name="timings"),
                WhisperAlignment.Output(display_name="whisper_alignment"),
                io.String.Output(display_name="text"),
            ],
            hidden=[io.Hidden.unique_id],
            is_output_node=True,  # so that it can be run on its own, for the editor
        )

    @classmethod
    def execute(
        cls,
        audio: Mapping[str, Any],
        timings: Timings,
        fps: float = 25.0,
        when_changed: WhenChanged = "ask",
        edits: str = "",
    ) -> io.NodeOutput:
        clip = audio_clip(audio)
        heard, base = audio_fingerprint(clip), timings_fingerprint(timings)
        saved = read_edits(edits) if edits.strip() else None
        state = state_of(saved, heard, base, when_changed) if saved else "no edits"
        result = replace(saved.timings if saved and state in ("edited", "kept") else timings)
        shown = {
            "seconds": clip.seconds,
            "fps": fps,
            "audio": heard,
            "base": base,
            "timings": json_words.write(timings),
            "edited": {"audio": saved.audio, "base": saved.base} if saved else None,
            "state": state,
        }
        if saved and state == "asks":
            # A result would not come, so the sound lives with the timings that came in.
            shown["token"] = SOUNDS.keep(timings, clip, heard)
            if page := PromptServer.instance.client_id:  # None where a program has sent the graph
                PromptServer.instance.send_sync(ASKS, {"node": cls.hidden.unique_id, "shown": shown}, page)
            raise InputError(
                expected=f"the {what_changed(saved, heard, base)} that the edits in this node were made for",
                got="others",
                next_step="Open the editor and choose which to keep, or set `when_changed` to `keep edits` or "
                "`use new timings`.",
            )
        shown["token"] = SOUNDS.keep(result, clip, heard)
        text = "\n".join(line.text for line in result.lines)
        return io.NodeOutput(result, aligned_words(result), text, ui={"lipsync_timestamps": [shown]})

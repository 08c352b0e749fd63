"""Words and lines with their times, from text and to files."""

from __future__ import annotations

import logging
from pathlib import Path

import folder_paths
from comfy_api.latest import io

from ..pipelines.core.lyrics import Timings
from ..pipelines.lyrics.formats.registry import FORMATS, read_timings, write_timings
from .sockets import LipSyncTimings

log = logging.getLogger(__name__)


class ReadLyrics(io.ComfyNode):
    """Node: timings from a text."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="LipSyncReadLyrics",
            display_name="Read Lyrics",
            category="LipSync Studio",
            description="Reads lines and words with their times from the text of a file: LRC (also with word times), "
            "SRT, WebVTT, ASS karaoke, JSON or Audacity labels. The format is told from the text.",
            search_aliases=["lyrics", "subtitles", "srt", "lrc", "vtt", "karaoke", "timestamps"],
            inputs=[
                io.String.Input(
                    "text", multiline=True, tooltip="Paste the file's text here, or connect a node that reads it."
                )
            ],
            outputs=[LipSyncTimings.Output(display_name="timings"), io.String.Output(display_name="notes")],
        )

    @classmethod
    def execute(cls, text: str) -> io.NodeOutput:
        timings = read_timings(text.encode(), "")
        return io.NodeOutput(timings, "\n".join(timings.notes))


class SaveLyrics(io.ComfyNode):
    """Node: timings to a file in ComfyUI's output folder."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        labels = "; ".join(f"{form.id}: {form.label}" for form in FORMATS.values())
        return io.Schema(
            node_id="LipSyncSaveLyrics",
            display_name="Save Lyrics",
            category="LipSync Studio",
            description="Writes lines and words with their times to a file in ComfyUI's output folder.",
            search_aliases=["lyrics", "subtitles", "srt", "lrc", "vtt", "karaoke", "export"],
            inputs=[
                LipSyncTimings.Input("timings"),
                io.String.Input("filename_prefix", default="lyrics/song"),
                io.Combo.Input("format", options=list(FORMATS), default="lrc", tooltip=labels),
            ],
            outputs=[io.String.Output(display_name="text")],
            is_output_node=True,
        )

    @classmethod
    def execute(cls, timings: Timings, filename_prefix: str, format: str) -> io.NodeOutput:
        text = write_timings(timings, format)
        # Raises when the prefix leads out of the output folder.
        folder, name, number, subfolder, _ = folder_paths.get_save_image_path(
            filename_prefix, folder_paths.get_output_directory()
        )
        path = Path(folder) / f"{name}_{number:05}_.{FORMATS[format].extension}"
        path.write_text(text, encoding="utf-8", newline="")
        log.info("LipSync Studio: saved %s", path.name)
        saved = {"filename": path.name, "subfolder": subfolder, "type": "output"}
        return io.NodeOutput(text, ui={"text": [text], "files": [saved]})

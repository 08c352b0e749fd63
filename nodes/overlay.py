"""Lyrics over a clip: VIDEO out as it is made, or IMAGE out for graph builders."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

import folder_paths
from comfy_api.latest import Input, InputImpl, io
from torch import Tensor

from ..pipelines.core.lyrics import Timings
from ..pipelines.core.types import Codec, EncodeSettings, PixelFormat
from ..pipelines.lyric_video import overlay_images, overlay_video
from ..pipelines.lyrics.overlay.font_file import SUFFIXES
from ..pipelines.lyrics.overlay.style import MOST_LINES, Highlight, OverlayStyle, Position, colour
from ..pipelines.media.decode import VideoClip
from ..pipelines.media.image_picture import ImageClip
from .host import ComfyHost
from .inputs import Sound, audio_clip, clip_of, image_clip
from .sockets import LipSyncTimings
from .temp_files import passing_video, temp_video
from .widgets import FPS, encode_inputs

log = logging.getLogger(__name__)

FOLDER = "fonts"
BUILT_IN = "built-in (DejaVu Sans Bold)"
folder_paths.add_model_folder_path(FOLDER, str(Path(folder_paths.models_dir) / FOLDER))

TIMINGS = LipSyncTimings.Input(
    "timings", tooltip="Words and lines with their times. Second 0 is the clip's first frame."
)


def style_inputs() -> list[io.Input]:
    """What both nodes take: the looks first, then the place, then the time."""
    style = OverlayStyle()

    def number(name: str, default: float, least: float, most: float, tooltip: str, *, basic: bool = False) -> io.Input:
        step = 0.1 if most > 1 else 0.005
        return io.Float.Input(
            name, default=default, min=least, max=most, step=step, tooltip=tooltip, advanced=None if basic else True
        )

    return [
        io.Combo.Input(
            "font",
            options=[BUILT_IN, *_font_files()],
            default=BUILT_IN,
            tooltip="A .ttf, .otf or .ttc file in models/fonts. Characters that it lacks are taken from the other "
            "fonts there, then from those of the system.",
        ),
        number("size", style.size, 0.01, 0.5, "Of the letters, as a part of the picture's shorter side.", basic=True),
        io.Combo.Input(
            "highlight",
            options=list(get_args(Highlight)),
            default=style.highlight,
            tooltip="wipe: the colour moves through each word while it is sung (karaoke). word: the word being sung "
            "has the other colour. none: plain text.",
        ),
        io.Color.Input("text_color", default="#ffffff"),
        io.Color.Input("sung_color", default="#ffcc00", tooltip="Of what is, or was, sung."),
        io.Color.Input("stroke_color", default="#000000", tooltip="Of the outline.", advanced=True),
        number("stroke", style.stroke, 0, 0.3, "Width of the outline, as a part of the letters' size. 0 is none."),
        number("shadow", style.shadow, 0, 1, "How dark the soft shadow is. 0 is none."),
        number("box", style.box, 0, 1, "How opaque the box behind each line is. 0 is none."),
        io.Color.Input("box_color", default="#000000", advanced=True),
        io.Combo.Input("position", options=list(get_args(Position)), default=style.position),
        number("margin_x", style.margin_x, 0, 0.45, "What stays free left and right, as a part of the width."),
        number("margin_y", style.margin_y, 0, 0.45, "What stays free above and below, as a part of the height."),
        number("wrap", style.wrap, 0.1, 1, "Part of the width at which a line goes on in the next row."),
        io.Int.Input(
            "lines",
            default=style.lines,
            min=1,
            max=MOST_LINES,
            tooltip="Lines shown at once: 1 is the one being sung, 2 also the next one. They take turns in their "
            "places and do not move. For subtitles 1, with lead_in 0.",
        ),
        number("lead_in", style.lead_in, 0, 60, "Seconds that a line is shown before it begins, at most."),
        number("linger", style.linger, 0, 60, "Seconds that a line stays after its end, at most."),
        number("fade", style.fade, 0, 10, "Seconds that a line takes to appear and to vanish."),
    ]


def _font_files() -> list[str]:
    return [name for name in folder_paths.get_filename_list(FOLDER) if name.lower().endswith(SUFFIXES)]


def _style(widgets: Mapping[str, Any]) -> OverlayStyle:
    """The values of `style_inputs` as one; most are named like their field."""
    values = dict(widgets)
    font = values.pop("font")
    return OverlayStyle(
        font=None if font == BUILT_IN else Path(folder_paths.get_full_path_or_raise(FOLDER, font)),
        more_fonts=tuple(Path(folder) for folder in folder_paths.get_folder_paths(FOLDER)),
        text=colour(values.pop("text_color")),
        sung=colour(values.pop("sung_color")),
        stroke_color=colour(values.pop("stroke_color")),
        box_color=colour(values.pop("box_color")),
        **values,
    )


def _font_problem(font: str | None) -> bool | str:
    """True, or why the font cannot be used. None: another node gives it; then `execute` finds out."""
    if font is None or font == BUILT_IN or folder_paths.get_full_path(FOLDER, font) is not None:
        return True
    return f"Expected a font in models/{FOLDER}; found no {font}. Put it there, or choose `{BUILT_IN}`."


def _sound(audio: Mapping[str, Any] | None, source: Tensor | Input.Video, clip: VideoClip | ImageClip) -> Sound:
    """What is heard: the AUDIO if there is one, else the source's own sound, else nothing."""
    if audio is not None:
        return audio_clip(audio)
    if isinstance(clip, VideoClip):
        return clip.sound
    own = source.get_components().audio if isinstance(source, InputImpl.VideoFromComponents) else None
    return None if own is None else audio_clip(own)


def _told(notes: tuple[str, ...]) -> str:
    for note in notes:
        log.warning("LipSync Studio: %s", note)
    return "\n".join(notes)


class LyricOverlay(io.ComfyNode):
    """Node: VIDEO or IMAGE in, VIDEO out, at constant memory."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="LipSyncLyricOverlay",
            display_name="Lyric Overlay",
            category="LipSync Studio",
            description="Lays lyrics or subtitles over a clip, word by word or with a karaoke wipe. Reads and writes "
            "as it goes and never holds the whole clip. Frames without text are not touched.",
            search_aliases=["lyrics", "karaoke", "subtitles", "captions", "burn in", "lyric video", "text"],
            inputs=[
                io.MultiType.Input("source", [io.Video, io.Image], tooltip="The clip: a VIDEO, or an IMAGE batch."),
                TIMINGS,
                io.Audio.Input(
                    "audio",
                    optional=True,
                    tooltip="What is heard in the result. Without it, the video's own sound, copied.",
                ),
                *style_inputs(),
                FPS,
                *encode_inputs(),
            ],
            outputs=[io.Video.Output(display_name="video"), io.String.Output(display_name="notes")],
        )

    @classmethod
    def validate_inputs(cls, font: str | None) -> bool | str:
        return _font_problem(font)

    @classmethod
    def execute(
        cls,
        source: Tensor | Input.Video,
        timings: Timings,
        fps: float,
        codec: Codec,
        crf: int,
        preset: str,
        pixel_format: PixelFormat,
        audio: Mapping[str, Any] | None = None,
        **style: object,
    ) -> io.NodeOutput:
        clip = clip_of(source, fps, pixel_format)
        encode = EncodeSettings(codec=codec, crf=crf, preset=preset, pixel_format=pixel_format)
        path, sound = temp_video(), _sound(audio, source, clip)
        notes = overlay_video(clip, timings, _style(style), path, encode, sound, ComfyHost())
        return io.NodeOutput(passing_video(path), _told(notes))


class LyricOverlayImages(io.ComfyNode):
    """Node: IMAGE batch in, IMAGE batch out."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="LipSyncLyricOverlayImages",
            display_name="Lyric Overlay Images",
            category="LipSync Studio",
            description="Lays lyrics or subtitles over an IMAGE batch, word by word or with a karaoke wipe. Holds the "
            "whole clip in memory; for long clips use Lyric Overlay.",
            search_aliases=["lyrics", "karaoke", "subtitles", "captions", "text on image"],
            inputs=[io.Image.Input("images"), TIMINGS, *style_inputs(), FPS],
            outputs=[io.Image.Output(display_name="images"), io.String.Output(display_name="notes")],
        )

    @classmethod
    def validate_inputs(cls, font: str | None) -> bool | str:
        return _font_problem(font)

    @classmethod
    def execute(cls, images: Tensor, timings: Timings, fps: float, **style: object) -> io.NodeOutput:
        result, notes = overlay_images(image_clip(images, fps), timings, _style(style), ComfyHost())
        return io.NodeOutput(result, _told(notes))

"""Small clips made on the spot. Every picture carries its own number, so that a frame in the wrong place is seen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from lipsync_studio.pipelines.core.types import Picture, Rect
from numpy.typing import NDArray

# 4x4 blocks: the first three rows are the 12 bits of the number, the last row tells which way up the picture is.
BITS = 12
LAST_ROW = (1, 1, 1, 0)


def numbered_rgb(number: int, width: int, height: int) -> NDArray[np.uint8]:
    """uint8 [height, width, 3]: `number` as dark and bright blocks."""
    bits = [(number >> place) & 1 for place in range(BITS)] + list(LAST_ROW)
    rows = np.arange(height) * 4 // height
    columns = np.arange(width) * 4 // width
    levels = np.array(bits, np.uint8).reshape(4, 4) * 200 + 28
    return np.repeat(levels[rows][:, columns][..., None], 3, axis=2)


def number_in(rgb: NDArray[np.floating]) -> int:
    """The number in a picture [height, width, 3], 0-1; fails when the picture is turned or damaged."""
    height, width, _ = rgb.shape
    ys, xs = (np.arange(4) * height + height // 2) // 4, (np.arange(4) * width + width // 2) // 4
    bits = [int(rgb[y - 2 : y + 3, x - 2 : x + 3].mean() > 0.5) for y in ys for x in xs]
    assert tuple(bits[BITS:]) == LAST_ROW, f"not upright: {bits}"
    return sum(bit << place for place, bit in enumerate(bits[:BITS]))


@dataclass(frozen=True)
class Recipe:
    """A clip to make. times: ticks of each frame, default 0, 1, 2, ... of `tick` seconds (default one frame)."""

    frames: int = 30
    rate: Fraction = Fraction(25)
    width: int = 96
    height: int = 80
    codec: str = "libx264"
    pixel_format: str = "yuv420p"
    options: dict[str, str] = field(default_factory=dict)
    times: Sequence[int] | None = None
    tick: Fraction | None = None
    colorspace: int = 2
    color_range: int = 0


def write_clip(path: Path, recipe: Recipe) -> Path:
    """Encode numbered pictures with PyAV alone."""
    tick = recipe.tick or 1 / recipe.rate
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream(recipe.codec, rate=recipe.rate, options=dict(recipe.options))
        context = stream.codec_context
        context.width, context.height, context.pix_fmt = recipe.width, recipe.height, recipe.pixel_format
        context.time_base = tick
        context.colorspace, context.color_range = recipe.colorspace, recipe.color_range
        for number in range(recipe.frames):
            rgb = av.VideoFrame.from_ndarray(numbered_rgb(number, recipe.width, recipe.height), "rgb24")
            frame = rgb.reformat(format=recipe.pixel_format)
            frame.pts = number if recipe.times is None else recipe.times[number]
            frame.time_base = tick
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


@pytest.fixture(scope="session")
def make_clip(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """make_clip("name.mp4", frames=..., rate=..., ...): see `Recipe`. Equal calls share one file."""
    folder = tmp_path_factory.mktemp("clips")
    made: dict[str, Path] = {}

    def make(name: str = "clip.mp4", **recipe: Any) -> Path:  # noqa: ANN401 - the fields of a Recipe
        codec = recipe.get("codec", "libx264")
        if codec not in av.codecs_available:
            pytest.skip(f"this PyAV is built without the encoder {codec}")
        key = f"{name} {sorted(recipe.items(), key=str)}"
        if key not in made:
            place = folder / str(len(made))
            place.mkdir()
            made[key] = write_clip(place / name, Recipe(**recipe))
        return made[key]

    return make


@pytest.fixture(scope="session")
def number_of() -> Callable[[Picture], int]:
    """The number that a picture carries."""
    return lambda picture: number_in(picture.crop(Rect(0, 0, picture.width, picture.height)).numpy())


@pytest.fixture(scope="session")
def numbered() -> Callable[[int, int, int], NDArray[np.uint8]]:
    """numbered(number, width, height): uint8 RGB [height, width, 3] that carries the number."""
    return numbered_rgb

"""One frame of a clip with what is known about it drawn on: who was found, who speaks, the crop and the mask."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from .blending.masks import MaskSettings, lower_face_mask
from .core.faces import TRUSTED, ClipFaces, CropPlan, FaceTrack, SpeakerFaces
from .core.types import FrameSource
from .faces.crop import plan_crops
from .plan import check_same_clip

# px below the chin where the settings leave it to the engine, which is not known here: MuseTalk 1.5's.
OWN_MARGIN: Final = 10

_Colour: TypeAlias = tuple[int, int, int]

_PERSON, _SPEAKER, _CROP, _HALF_LINE = (225, 225, 225), (255, 190, 0), (0, 210, 255), (255, 70, 190)
_HALO, _NO_PICTURE = (0, 0, 0), (28, 28, 28)
_LARGEST: Final = 2.0  # how much a small clip is enlarged, for the sake of lines and letters
_TINT: Final = 0.4  # how much of the mask's colour covers the picture
_HALF: Final = 29  # the iBUG point whose height the half line has (see faces/crop.py)


def preview_frame(
    source: FrameSource | None, faces: SpeakerFaces, track: FaceTrack, frame: int, side: int = 768
) -> Image.Image:
    """RGB, `side` px on the longer side or twice the clip's: the frame, the faces, the crop, its half line, the mask.

    source: the clip; None draws on a plain dark canvas. track: `speaker_track(faces)`; only its row `frame` is read.
    The mask is the one made from the landmarks with default settings. Raises ValueError for a frame that the clip does
    not have, and InputError when `source` is another clip.
    """
    found = faces.found
    if not 0 <= frame < len(found):
        raise ValueError(f"frame {frame} of a clip with {len(found)} frames")
    scale = min(_LARGEST, side / max(found.width, found.height))
    size = (max(1, round(found.width * scale)), max(1, round(found.height * scale)))
    canvas = Image.new("RGB", size, _NO_PICTURE) if source is None else _picture(source, found, frame, size)
    here = _single(track, frame)
    crops = plan_crops(here, faces.crop, OWN_MARGIN)
    if crops.valid[0]:
        _tint(canvas, crops, here.landmarks, scale)
    sketch = _Sketch(canvas, scale)
    _draw_people(sketch, found, here, frame)
    if crops.valid[0]:
        _draw_crop(sketch, crops.boxes[0], int(here.landmarks[0, _HALF, 1]) + faces.crop.shift)
    sketch.caption(", ".join([f"frame {frame}", f"shot {here.shot[0]}", *_remarks(source, here, crops)]))
    return canvas


def _picture(source: FrameSource, found: ClipFaces, frame: int, size: tuple[int, int]) -> Image.Image:
    check_same_clip(source, found)
    with closing(source.read([np.array([frame], np.int64)])) as chunks:  # type: ignore[type-var]
        (picture,) = next(chunks).pictures
        return Image.fromarray(picture.thumbnail(*size).numpy())


def _single(track: FaceTrack, frame: int) -> FaceTrack:
    """A track of that frame alone, so that a crop is planned for it alone."""
    row = slice(frame, frame + 1)
    return replace(
        track,
        present=track.present[row],
        bridged=track.bridged[row],
        landmarks=track.landmarks[row],
        boxes=track.boxes[row],
        shot=track.shot[row],
    )


def _tint(canvas: Image.Image, crops: CropPlan, landmarks: NDArray[np.float32], scale: float) -> None:
    """Colour what the mask replaces. Crop and canvas meet in one transform, however far the crop reaches outside."""
    in_crop = crops.to_crop(landmarks, np.array([0]), 256)
    mask = lower_face_mask(in_crop, 256, MaskSettings())[0].numpy()
    x0, y0, x1, y1 = (float(v) for v in crops.boxes[0])
    across, down = mask.shape[1] / (x1 - x0), mask.shape[0] / (y1 - y0)
    to_mask = (across / scale, 0, -x0 * across, 0, down / scale, -y0 * down)
    laid = Image.fromarray((mask * (255 * _TINT)).astype(np.uint8)).transform(
        canvas.size, Image.Transform.AFFINE, to_mask, Image.Resampling.BILINEAR
    )
    canvas.paste(_CROP, (0, 0), laid)


def _draw_people(sketch: _Sketch, found: ClipFaces, here: FaceTrack, frame: int) -> None:
    """Everyone in the frame, with their numbers; the speaker last, so that nothing covers them."""
    first, last = np.searchsorted(found.frames, [frame, frame + 1])
    boxes = found.boxes[first:last]
    speaker = -1
    if here.present[0] and not here.bridged[0] and len(boxes):
        speaker = int(np.abs(boxes - here.boxes[0]).sum(axis=1).argmin())
    for row, (box, person, score) in enumerate(
        zip(boxes, found.people[first:last], found.scores[first:last], strict=True)
    ):
        if row != speaker:
            sketch.box(box, _PERSON)
        colour = _SPEAKER if row == speaker else _PERSON
        sketch.label(box, f"person {person}" + (" (unsure)" if score < TRUSTED else ""), colour)
    if here.present[0]:
        sketch.box(here.boxes[0], _SPEAKER, 2)


def _draw_crop(sketch: _Sketch, box: NDArray[np.int32], half: int) -> None:
    x0, y0, x1, y1 = (int(v) for v in box)
    sketch.box(box, _CROP)
    if y0 < half < y1:  # not so where the detector's box stands in
        sketch.line(((x0, half), (x1, half)), _HALF_LINE, 2)


def _remarks(source: FrameSource | None, here: FaceTrack, crops: CropPlan) -> list[str]:
    remarks = []
    if not here.present[0]:
        remarks.append("no face")
    elif not crops.valid[0]:
        remarks.append("face outside the picture")
    if here.bridged[0]:
        remarks.append("bridged")
    if source is None:
        remarks.append("no picture")
    return remarks


class _Sketch:
    """Draws in pixels of the full picture on one scaled down; dark edges make it readable on any footage."""

    def __init__(self, canvas: Image.Image, scale: float) -> None:
        self._draw, self._scale = ImageDraw.Draw(canvas), scale
        self._width, self._height = canvas.size
        self._thin = max(1, round(max(canvas.size) / 400))
        self._font = ImageFont.load_default(size=max(10, round(max(canvas.size) / 28)))

    def box(self, box: NDArray[np.generic], colour: _Colour, weight: int = 1) -> None:
        x0, y0, x1, y1 = (float(v) for v in box)
        self.line(((x0, y0), (x1, y0), (x1, y1), (x0, y1), (x0, y0)), colour, weight)

    def line(self, points: Sequence[tuple[float, float]], colour: _Colour, weight: int = 1) -> None:
        """Through `points`. What lies far outside is pulled near, so that no drawing takes for ever."""
        far = 2 * max(self._width, self._height)
        path = [(x, y) for x, y in (np.array(points) * self._scale).clip(-far, far).tolist()]
        self._draw.line(path, _HALO, self._thin * weight + 2)
        self._draw.line(path, colour, self._thin * weight)

    def label(self, box: NDArray[np.generic], text: str, colour: _Colour) -> None:
        """On top of the box, or as near to that as the picture's edges allow."""
        self._write(float(box[0]) * self._scale, float(box[1]) * self._scale - 3, text, colour)

    def caption(self, text: str) -> None:
        """In the lower left corner."""
        self._write(4, self._height - 4, text, _PERSON)

    def _write(self, x: float, y: float, text: str, colour: _Colour) -> None:
        """`x`, `y`: the lower left corner of the text, moved until all of it is inside."""
        left, top, right, bottom = self._draw.textbbox((0, 0), text, self._font, anchor="lb", stroke_width=2)
        x = min(max(x, -left), max(self._width - right, -left))
        y = max(min(y, self._height - bottom), -top)
        self._draw.text((x, y), text, colour, self._font, anchor="lb", stroke_width=2, stroke_fill=_HALO)

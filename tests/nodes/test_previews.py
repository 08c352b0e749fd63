"""How long a preview lives, what it holds on to, and which settings it takes."""

from __future__ import annotations

import gc
from fractions import Fraction
from io import BytesIO

import numpy as np
import pytest
import torch
from lipsync_studio.nodes.previews import Previews, ShiftSettings
from lipsync_studio.pipelines.core.errors import InputError
from lipsync_studio.pipelines.core.faces import ClipFaces, CropSettings, MotionSettings, SpeakerFaces
from lipsync_studio.pipelines.media.image_picture import ImageClip
from numpy.typing import NDArray
from PIL import Image

SIDE = 96


def faces(count: int = 4) -> SpeakerFaces:
    """One face in every frame of a clip; where its landmarks are does not matter here."""
    landmarks = np.random.default_rng(1).uniform(30, 60, (count, 68, 2)).astype(np.float32)
    return SpeakerFaces(
        ClipFaces(
            frames=np.arange(count, dtype=np.int32),
            people=np.zeros(count, np.int32),
            boxes=np.tile(np.float32([30, 30, 60, 60]), (count, 1)),
            landmarks=landmarks,
            scores=np.ones(count, np.float32),
            shot=np.zeros(count, np.int32),
            flash=np.zeros(count, bool),
            likeness=np.zeros((1, 0), np.float32),
            width=SIDE,
            height=SIDE,
        ),
        motion=MotionSettings(bridge=3),
    )


def images(count: int = 4) -> ImageClip:
    return ImageClip(torch.ones(count, SIDE, SIDE, 3), Fraction(25))


def drawn(previews: Previews, token: str, frame: int = 0) -> NDArray[np.uint8]:
    preview = previews.get(token)
    assert preview is not None
    return np.asarray(Image.open(BytesIO(previews.draw(preview, frame, ShiftSettings()))))


def test_a_preview_goes_with_the_result_it_belongs_to() -> None:
    previews, kept, dropped = Previews(), faces(), faces()
    stays, goes = previews.keep(kept, None), previews.keep(dropped, None)
    assert drawn(previews, goes).shape == (2 * SIDE, 2 * SIDE, 3)
    del dropped
    gc.collect()
    assert previews.get(goes) is None
    assert previews.get(stays) is not None


def test_images_are_not_kept_alive() -> None:
    previews, result, source = Previews(), faces(), images()
    token = previews.keep(result, source)
    assert drawn(previews, token)[2, 2].min() > 250
    del source
    gc.collect()
    assert drawn(previews, token)[2, 2].max() < 60, "a dark canvas, and no error"


@pytest.mark.parametrize("frame", [-1, 4, 10**9])
def test_a_frame_that_is_not_there_is_refused(frame: int) -> None:
    previews, result = Previews(), faces()
    preview = previews.get(previews.keep(result, None))
    assert preview is not None
    with pytest.raises(InputError, match="a frame from 0 to 3"):
        previews.draw(preview, frame, ShiftSettings())


@pytest.mark.parametrize(
    ("settings", "crop", "smoothing"),
    [
        (ShiftSettings(), CropSettings(), 0.5),
        (ShiftSettings(bbox_shift=-7, upper_bound=3, smoothing=0), CropSettings(shift=-7, upper=3), 0),
        (ShiftSettings(convention="MuseTalk 1.5"), CropSettings(margin=10), 0.5),
        (ShiftSettings(convention="MuseTalk 1.0"), CropSettings(margin=0), 0.5),
        (ShiftSettings(extra_margin=4, convention="MuseTalk 1.5"), CropSettings(margin=4), 0.5),
        (ShiftSettings(extra_margin=0), CropSettings(margin=0), 0.5),
    ],
)
def test_settings_replace_the_crop_and_the_smoothing_alone(
    settings: ShiftSettings, crop: CropSettings, smoothing: float
) -> None:
    given = faces()
    result = settings.apply(given)
    assert (result.crop, result.motion) == (crop, MotionSettings(bridge=3, smoothing=smoothing))
    assert result.found is given.found
    assert result.choice is given.choice


def test_settings_are_read_from_text() -> None:
    texts = {
        "bbox_shift": "-9",
        "extra_margin": "5",
        "upper_bound": "2",
        "convention": "MuseTalk 1.0",
        "smoothing": "0.25",
    }
    assert ShiftSettings.read(texts | {"other": "x"}) == ShiftSettings(-9, 5, 2, "MuseTalk 1.0", 0.25)
    assert ShiftSettings.read({}) == ShiftSettings()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("bbox_shift", "201"),
        ("bbox_shift", "1.5"),
        ("bbox_shift", ""),
        ("bbox_shift", "9" * 5000),
        ("extra_margin", "-2"),
        ("upper_bound", "-401"),
        ("convention", "MuseTalk 3"),
        ("smoothing", "nan"),
        ("smoothing", "1.01"),
        ("smoothing", "much"),
    ],
)
def test_bad_settings_are_refused(name: str, text: str) -> None:
    with pytest.raises(InputError):
        ShiftSettings.read({name: text})

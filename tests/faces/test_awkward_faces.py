"""Real faces where there is little to work with: at the edge, tiny, huge, upside down, crossing. No exception, ever.

Each clip goes the whole way that needs no engine: found, followed, chosen, cropped, masked and pasted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from lipsync_studio.pipelines.blending.masks import MaskSettings, lower_face_mask
from lipsync_studio.pipelines.blending.paste import paste
from lipsync_studio.pipelines.blending.scaling import fit_crop
from lipsync_studio.pipelines.core.errors import NoFaceError
from lipsync_studio.pipelines.core.faces import (
    ClipFaces,
    CropPlan,
    CropSettings,
    FaceTrack,
    MotionSettings,
    SpeakerChoice,
    SpeakerFaces,
)
from lipsync_studio.pipelines.core.host import PlainHost
from lipsync_studio.pipelines.faces.crop import plan_crops
from lipsync_studio.pipelines.faces.finder import FaceFinder
from lipsync_studio.pipelines.faces.speaker import speaker_track
from lipsync_studio.pipelines.faces.tracks import find_faces
from lipsync_studio.pipelines.media.image_picture import ImageClip
from numpy.typing import NDArray
from PIL import Image

SIDE = 256  # px, of the crop an engine works on
FACE = (178, 63, 268, 176)  # px of the portrait: the detector's box
LARGEST = SpeakerChoice()

Frames = Sequence[NDArray[np.uint8]]


Seen = tuple[ImageClip, ClipFaces]


@pytest.fixture(scope="module")
def find() -> Callable[[Frames], Seen]:
    finder = FaceFinder()

    def find(frames: Frames) -> Seen:
        clip = ImageClip(torch.from_numpy(np.stack(frames) / np.float32(255)), Fraction(25))
        return clip, find_faces(clip, finder, PlainHost())

    return find


def work(seen: Seen, choice: SpeakerChoice = LARGEST) -> tuple[FaceTrack, CropPlan]:
    """Everything but the engine, which paints the negative. Asserts that nothing outside the crops has changed."""
    clip, found = seen
    track = speaker_track(SpeakerFaces(found, choice, MotionSettings(bridge=0)))
    plan = plan_crops(track, CropSettings(), own_margin=10)
    (chunk,) = clip.read([np.arange(len(track))])
    for index in np.flatnonzero(plan.valid):
        rect, picture = plan.rect(index), chunk.pictures[index]
        landmarks = plan.to_crop(track.landmarks[[index]], np.array([index]), SIDE)
        (mask,) = lower_face_mask(landmarks, SIDE, MaskSettings())
        result = paste(picture, rect, 1 - fit_crop(picture.crop(rect), SIDE), mask)
        outside = np.ones((clip.height, clip.width), bool)
        outside[max(rect.y0, 0) : rect.y1, max(rect.x0, 0) : rect.x1] = False
        assert torch.equal(result.pixels[outside], picture.pixels[outside])
        assert bool(torch.isfinite(result.pixels).all())
    return track, plan


def shown(
    portrait: NDArray[np.uint8], scale: float, right: float, down: float, size: tuple[int, int] = (512, 512)
) -> NDArray[np.uint8]:
    """The portrait `scale` times as large, moved by px, on a black picture of that width and height."""
    affine = (1 / scale, 0, -right / scale, 0, 1 / scale, -down / scale)
    image = Image.fromarray(portrait).transform(size, Image.Transform.AFFINE, affine, Image.Resampling.BICUBIC)
    return np.asarray(image)


@pytest.mark.parametrize(
    ("right", "down"), [(-30, 0), (32, 0), (0, -20), (0, 42)], ids=["left", "right", "top", "bottom"]
)
def test_a_face_that_leaves_the_picture(find: Callable, astronaut: NDArray[np.uint8], right: int, down: int) -> None:
    """It slides out step by step, each a third of the face; what can still be seen of it may be painted."""
    frames = [shown(astronaut, 1, right * step, down * step) for step in range(11)]
    track, plan = work(find(frames))
    assert track.present[:3].all()
    assert plan.valid[:3].all()
    assert not track.present[-1]
    x0, y0, x1, y1 = plan.boxes[plan.valid].T
    assert (x0 >= 0).all()
    assert (y0 >= 0).all()
    assert ((x0 < 512) & (x1 > x0)).all()
    assert ((y1 <= 512) & (y1 > y0)).all()


@pytest.mark.parametrize("height", [60, 40, 25, 16])
def test_a_small_face(find: Callable, astronaut: NDArray[np.uint8], height: int) -> None:
    """height: of the detector's box, px. At its finest the crop has fewer pixels than the engine paints."""
    scale = height / (FACE[3] - FACE[1])
    track, plan = work(find([shown(astronaut, scale, 150, 100, (480, 360))] * 2))
    assert track.present.all()
    assert plan.valid.all()
    widths, heights = (plan.boxes[:, 2:] - plan.boxes[:, :2]).T
    assert (0.5 * height < widths).all()
    assert (widths < 1.2 * height).all()
    assert (0.7 * height < heights - 10).all()
    assert (heights - 10 < 1.5 * height).all()


def test_a_face_larger_than_what_an_engine_paints(find: Callable, astronaut: NDArray[np.uint8]) -> None:
    track, plan = work(find([shown(astronaut, 6, -700, -200, (1280, 1080))] * 2))
    assert track.present.all()
    heights = plan.boxes[plan.valid, 3] - plan.boxes[plan.valid, 1]
    assert len(heights) == 2
    assert (heights > 2 * SIDE).all()


@pytest.mark.parametrize("angle", [90, 165, 180, 195, 270])
def test_a_face_on_its_side_or_upside_down_is_a_cutaway(
    find: Callable, astronaut: NDArray[np.uint8], angle: int
) -> None:
    """YuNet finds some of these, and the mesh draws an upright face over them; none of that may be painted."""
    x, y = (FACE[0] + FACE[2]) / 2, (FACE[1] + FACE[3]) / 2
    turned = np.asarray(Image.fromarray(astronaut).rotate(angle, Image.Resampling.BICUBIC, center=(x, y)))
    track, plan = work(find([astronaut, turned, astronaut]))
    assert track.present.tolist() == plan.valid.tolist() == [True, False, True]
    with pytest.raises(NoFaceError):
        work(find([turned, turned]))


def test_a_real_face_upside_down_all_along(find: Callable, read_clip: Callable) -> None:
    upside_down = [frame[::-1, ::-1] for frame in read_clip("clips/single_face.mp4", 0, None, 24).frames]
    with pytest.raises(NoFaceError):
        work(find(upside_down))


def test_two_faces_that_cross(find: Callable, astronaut: NDArray[np.uint8]) -> None:
    """The larger one passes before the smaller, mirrored one, which is hidden for a moment.

    Who is who afterwards is for the tests of tracks; here each frame shows the speaker on a real face, or on none.
    """
    behind, before = astronaut[30:230, 120:320][:, ::-1], shown(astronaut[30:230, 120:320], 1.3, 0, 0, (260, 260))
    steps = np.arange(21)
    frames = []
    for step in steps:
        canvas = np.full((400, 900, 3), 90, np.uint8)
        canvas[100:300, 650 - 28 * step : 850 - 28 * step] = behind
        canvas[80:340, 30 + 28 * step : 290 + 28 * step] = before
        frames.append(canvas)
    middle = (FACE[0] + FACE[2]) / 2 - 120
    paths = np.stack([30 + 28 * steps + 1.3 * middle, 650 - 28 * steps + 200 - middle])

    seen = find(frames)
    tracks = [work(seen, SpeakerChoice("person", person=person))[0] for person in (0, 1)]
    for track in tracks:
        away = np.abs((track.boxes[:, 0] + track.boxes[:, 2]) / 2 - paths).min(axis=0)
        assert away[track.present].max() < 20
        assert track.present[:6].all()
    assert tracks[0].present.sum() + tracks[1].present.sum() >= 30
    both = tracks[0].present & tracks[1].present
    assert (tracks[0].boxes[both] != tracks[1].boxes[both]).any(axis=1).all()


def test_a_profile_is_a_cutaway_even_where_others_face_the_camera(find: Callable, read_clip: Callable) -> None:
    frames = read_clip("clips/short_hamilton_clip.mp4", 20, 60, 8).frames
    with pytest.raises(NoFaceError, match=r"the largest face turned to the camera .* Or choose somebody else"):
        work(find(frames))


def test_several_real_faces(find: Callable, shared: Path) -> None:
    picture = np.asarray(Image.open(shared / "media" / "multi_face.jpg").convert("RGB"))
    seen, middles = find([picture]), []
    for person in range(5):
        track, plan = work(seen, SpeakerChoice("person", person=person))
        assert plan.valid.all()
        middles.append(round(float(track.boxes[0, 0] + track.boxes[0, 2]) / 2))
    assert len(set(middles)) == 5
    leftmost, _ = work(seen, SpeakerChoice("leftmost"))
    assert round(float(leftmost.boxes[0, 0] + leftmost.boxes[0, 2]) / 2) == min(middles)
    rightmost, _ = work(seen, SpeakerChoice("rightmost"))
    assert round(float(rightmost.boxes[0, 0] + rightmost.boxes[0, 2]) / 2) == max(middles)

"""The embedded engine: says what it hears, closes in silence, survives any landmarks.

The last tests look at results with OpenSeeFace (BSD-2), a landmarker that nothing in the pack uses.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from lipsync_studio.pipelines.audio.mouth_shapes import MouthShapes
from lipsync_studio.pipelines.blending.masks import MaskSettings, lower_face_mask
from lipsync_studio.pipelines.blending.paste import paste
from lipsync_studio.pipelines.blending.scaling import fit_crop
from lipsync_studio.pipelines.core.types import AudioClip, FaceBatch, Rect
from lipsync_studio.pipelines.engines.draft import DraftEngine
from lipsync_studio.pipelines.media.image_picture import ImagePicture
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from scipy.signal import butter, sosfiltfilt
from torch import Tensor

Array = NDArray[np.float32]
PACK = Path(__file__).parents[2]
INPUTS = PACK / "workflows" / "inputs"
ENGINE = DraftEngine()
SIDE = 256


def face(side: int = SIDE, parted: float = 0.0) -> Array:
    """float32 [68, 2]: a face as a drawing lesson has it. parted: between the lips, as a share of the mouth's width."""
    points = np.full((68, 2), 0.3)
    angle = np.linspace(np.pi, 0, 17)
    points[:17] = np.stack([0.5 + 0.45 * np.cos(angle), 0.4 + 0.5 * np.sin(angle)], axis=1)
    points[27:31] = np.stack([np.full(4, 0.5), np.linspace(0.3, 0.5, 4)], axis=1)
    points[31:36] = np.stack([np.linspace(0.44, 0.56, 5), np.full(5, 0.55)], axis=1)
    half, gap = 0.14, 0.14 * parted
    outer = np.linspace(-1, 1, 7)
    points[48:55] = np.stack([0.5 + half * outer, 0.7 - (0.035 + gap) * (1 - outer**2)], axis=1)
    points[55:60] = np.stack([0.5 - half * outer[1:-1], 0.7 + (0.045 + gap) * (1 - outer[1:-1] ** 2)], axis=1)
    inner = np.linspace(-0.9, 0.9, 5)
    points[60:65] = np.stack([0.5 + half * inner, 0.7 - gap * (1 - (inner / 0.9) ** 2)], axis=1)
    points[65:68] = np.stack([0.5 - half * inner[1:-1], 0.7 + gap * (1 - (inner[1:-1] / 0.9) ** 2)], axis=1)
    return (points * side).astype(np.float32)


def picture(side: int = SIDE) -> Tensor:
    """A smooth skin-coloured crop [side, side, 3]."""
    y, x = np.mgrid[:side, :side] / side
    waves = 0.1 * np.sin(9 * x + 5 * y)[..., None]
    return torch.from_numpy((np.array([0.8, 0.62, 0.55]) + waves).astype(np.float32))


def paint(crops: Sequence[Tensor], landmarks: Sequence[Array], heard: Sequence[tuple[float, float]]) -> Tensor:
    return ENGINE.paint(
        FaceBatch(torch.stack(list(crops)), np.stack(landmarks), torch.tensor(heard), np.arange(len(crops)))
    )


def test_spec() -> None:
    spec = ENGINE.spec
    assert (spec.label, spec.hears) == ("Draft: checks timing, not looks", "mouth shapes")
    assert spec.commercial_use == "yes: no weights"
    assert [spec.side_for(side) for side in (100, 256, 300, 768, 2000)] == [256, 256, 384, 768, 768]


def test_a_closed_mouth_stays_as_it_is_in_silence() -> None:
    result = paint([picture()], [face()], [(0.0, 0.0)])
    assert float((result[0] - picture()).abs().max()) < 0.01


@pytest.mark.parametrize("parted", [0.0, 0.2, 0.4])
def test_louder_is_wider_open_whatever_the_picture_shows(parted: float) -> None:
    loudness = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
    results = paint([picture()] * 6, [face(parted=parted)] * 6, [(level, 0.0) for level in loudness])
    dark = (results.amax(dim=3) < 0.35).sum(dim=(1, 2)).tolist()
    assert dark[0] == 0
    assert all(later > earlier for earlier, later in pairwise(dark))


def test_an_open_mouth_is_closed_in_silence() -> None:
    """Black between parted lips is gone when nothing is said."""
    landmarks = face(parted=0.3)
    canvas = Image.new("L", (SIDE, SIDE))
    ImageDraw.Draw(canvas).polygon([(x, y) for x, y in landmarks[60:68].tolist()], fill=1)
    crop = picture() * (1 - torch.from_numpy(np.array(canvas)))[..., None]
    closed = paint([crop], [landmarks], [(0.0, 0.0)])[0]
    assert int((crop.amax(dim=2) < 0.1).sum()) > 500
    assert int((closed.amax(dim=2) < 0.1).sum()) < 30


def test_spread_lips_are_wider_than_round_ones() -> None:
    results = paint([picture()] * 2, [face()] * 2, [(0.6, -1.0), (0.6, 1.0)])
    columns = [int((result.amax(dim=2) < 0.35).any(dim=0).sum()) for result in results]
    assert columns[1] > columns[0] * 1.1


def test_nothing_above_the_nose_changes() -> None:
    result = paint([picture()], [face()], [(1.0, 1.0)])[0]
    top = int(0.5 * SIDE)
    assert torch.equal(result[:top], picture()[:top])


@pytest.mark.parametrize("side", ENGINE.spec.crop_sides)
def test_the_side_only_changes_the_resolution(side: int) -> None:
    result = paint([picture(side)], [face(side)], [(0.7, 0.0)])
    assert result.shape == (1, side, side, 3)
    share = float((result.amax(dim=3) < 0.35).float().mean())
    reference = float((paint([picture()], [face()], [(0.7, 0.0)]).amax(dim=3) < 0.35).float().mean())
    assert share == pytest.approx(reference, rel=0.1)


def test_a_frame_does_not_depend_on_its_batch() -> None:
    crops = [picture(), picture().flip(1), picture()]
    landmarks = [face(), face(parted=0.3), face() + 5]
    heard = [(0.3, 0.1), (0.9, -0.5), (0.0, 0.0)]
    together = paint(crops, landmarks, heard)
    for index in range(3):
        alone = paint(crops[index : index + 1], landmarks[index : index + 1], heard[index : index + 1])
        torch.testing.assert_close(together[index], alone[0], atol=1e-5, rtol=0)


TURNED_OVER = face()[:, ::-1].copy()
NOT_FACES = {
    "one point": np.full((68, 2), 100, np.float32),
    "zeros": np.zeros((68, 2), np.float32),
    "a line": np.stack([np.linspace(0, 255, 68)] * 2, axis=1).astype(np.float32),
    "a mouth of one pixel": face() * np.where(np.arange(68) >= 48, 0.01, 1)[:, None].astype(np.float32),
    "mouth above the nose": np.where(np.arange(68)[:, None] >= 48, face() - [0, 90], face()).astype(np.float32),
}


@pytest.mark.parametrize("name", NOT_FACES)
def test_what_is_not_a_face_comes_back_unchanged(name: str) -> None:
    result = paint([picture(), picture()], [NOT_FACES[name], face()], [(1.0, 1.0)] * 2)
    assert torch.equal(result[0], picture())
    assert not torch.equal(result[1], picture())


@pytest.mark.parametrize(
    "landmarks",
    [face() * [0.2, 1], face() * [-1, 1] + [SIDE, 0], SIDE - face(), TURNED_OVER, face() + 150, face() - 200],
    ids=["profile", "mirrored", "upside down", "on its side", "half outside", "outside"],
)
def test_unusual_faces_are_painted_without_harm(landmarks: Array) -> None:
    result = paint([picture()], [landmarks.astype(np.float32)], [(1.0, -1.0)])
    assert torch.isfinite(result).all()
    assert float(result.min()) >= 0
    assert float(result.max()) <= 1


@given(st.integers(0, 2**31), st.floats(0, 300), st.floats(0, 1), st.floats(-1, 1))
@settings(max_examples=40, deadline=None)
def test_any_landmarks_give_colours(seed: int, scatter: float, opening: float, width: float) -> None:
    noise = np.random.default_rng(seed).standard_normal((68, 2)) * scatter
    crop, landmarks = picture(64), (face(64) + noise).astype(np.float32)
    given_crop, given_landmarks = crop.clone(), landmarks.copy()
    result = paint([crop], [landmarks], [(opening, width)])
    assert result.shape == (1, 64, 64, 3)
    assert result.dtype == torch.float32
    assert torch.isfinite(result).all()
    assert float(result.min()) >= 0
    assert float(result.max()) <= 1
    assert torch.equal(crop, given_crop)
    np.testing.assert_array_equal(landmarks, given_landmarks)


# --- what an independent landmarker sees ---


class OpenSeeFace:
    """66 landmarks of openseeface_lm_model0_opt.onnx: 58 and 62 are the corners of the mouth, 59-61 the inner upper
    lip, 63-65 the inner lower lip. Heat maps of 28 x 28 with offsets whose logits are scaled by 16."""

    def __init__(self, path: Path) -> None:
        onnxruntime = pytest.importorskip("onnxruntime")
        self._session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        self._input = self._session.get_inputs()[0].name

    def mouth_opening(self, frame: Tensor, landmarks: Array) -> float:
        """Distance of the lips over the mouth's width. frame: [H, W, 3]. landmarks: where the face roughly is, px."""
        low, high = landmarks.min(axis=0), landmarks.max(axis=0)
        low, high = low - 0.15 * (high - low), high + 0.15 * (high - low)
        image = Image.fromarray((frame.numpy() * 255).round().astype(np.uint8))
        crop = image.resize((224, 224), Image.Resampling.BILINEAR, box=(*low, *high))
        pixels = (np.asarray(crop) / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
        maps = self._session.run(None, {self._input: pixels.astype(np.float32).transpose(2, 0, 1)[None]})[0]
        heat, down, right = maps[0].reshape(3, 66, 784).clip(1e-7, 1 - 1e-7)
        best, point = heat.argmax(axis=1), np.arange(66)
        offset = np.log([p[point, best] / (1 - p[point, best]) for p in (right, down)]) / 16
        cells = np.stack([best % 28, best // 28]) / 27 + offset
        points = cells.T * (high - low)
        lips = np.linalg.norm(points[[59, 60, 61]] - points[[65, 64, 63]], axis=1).mean()
        return float(lips / np.linalg.norm(points[62] - points[58]))


FRAMES = np.arange(75, 177) / 25  # the last four seconds, with two pauses


@pytest.fixture(scope="module")
def observer(shared: Path) -> OpenSeeFace:
    return OpenSeeFace(shared / "weights/faces/openseeface_lm_model0_opt.onnx")


@pytest.fixture(scope="module")
def speech() -> AudioClip:
    with av.open(str(INPUTS / "speech.flac")) as file:
        rate = file.streams.audio[0].codec_context.sample_rate
        samples = np.concatenate([frame.to_ndarray() for frame in file.decode(audio=0)], axis=1)
    return AudioClip((samples / 32768).astype(np.float32), rate)


def envelope(clip: AudioClip, times: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sound pressure in the speech band over 120 ms around each time."""
    band = butter(3, (200, 3800), "bandpass", fs=clip.rate, output="sos")
    power = np.cumsum(sosfiltfilt(band, clip.samples.mean(axis=0)) ** 2)
    ends = [np.clip(((times + side) * clip.rate).astype(int), 0, len(power) - 1) for side in (-0.06, 0.06)]
    return np.sqrt(np.maximum(power[ends[1]] - power[ends[0]], 0))


def talking(frame: Tensor, landmarks: Array, heard: Tensor) -> Tensor:
    """The frame with its mouth as heard [2], pasted through the landmark mask."""
    low, high = landmarks.min(axis=0), landmarks.max(axis=0)
    below = round(ENGINE.spec.chin_share * float(high[1] - low[1]))
    rect = Rect(int(low[0]), int(2 * landmarks[29, 1] - high[1]), int(high[0]), int(high[1]) + below)
    image = ImagePicture(frame)
    inside = ((landmarks - [rect.x0, rect.y0]) * [SIDE / rect.width, SIDE / rect.height]).astype(np.float32)
    painted = paint([fit_crop(image.crop(rect), SIDE)], [inside], [tuple(heard.tolist())])
    mask = lower_face_mask(inside[None], SIDE, MaskSettings())
    result = paste(image, rect, painted[0], mask[0])
    return result.crop(Rect(0, 0, image.width, image.height))


def check_sync(opening: NDArray[np.float64], clip: AudioClip, times: NDArray[np.float64]) -> None:
    """Opening follows the sound within one frame, and is smallest where there is none."""
    lags = np.arange(-4, 5)
    agreement = [np.corrcoef(opening, envelope(clip, times - lag / 25))[0, 1] for lag in lags]
    assert max(agreement) >= 0.7
    assert abs(lags[int(np.argmax(agreement))]) <= 1
    silent = MouthShapes(clip).at(times)[:, 0].numpy() == 0
    assert silent.sum() >= 8
    loud = np.percentile(opening, 90)
    assert np.percentile(opening[silent], 90) < 0.35 * loud


def test_a_still_speaks_in_time(observer: OpenSeeFace, speech: AudioClip) -> None:
    frame = torch.from_numpy(np.asarray(Image.open(INPUTS / "astronaut.jpg").convert("RGB"), dtype=np.float32) / 255)
    stored = json.loads((PACK / "tests/goldens/astronaut_landmarks.json").read_text())
    landmarks = np.array(stored["landmarks"], dtype=np.float32)
    times = FRAMES
    heard = MouthShapes(speech).at(times)
    opening = np.array([observer.mouth_opening(talking(frame, landmarks, h), landmarks) for h in heard])
    check_sync(opening, speech, times)


def test_a_clip_whose_mouth_moves_speaks_in_time(shared: Path, observer: OpenSeeFace, speech: AudioClip) -> None:
    landmarks = np.load(shared / "media/yongen_lm68.npy").astype(np.float32)
    times = FRAMES
    heard = MouthShapes(speech).at(times)
    opening = []
    with av.open(str(shared / "media/yongen.mp4")) as file:
        for index, frame in zip(range(len(times)), file.decode(video=0), strict=False):
            rgb = torch.from_numpy(frame.to_ndarray(format="rgb24").astype(np.float32) / 255)
            opening.append(observer.mouth_opening(talking(rgb, landmarks[index], heard[index]), landmarks[index]))
    check_sync(np.array(opening), speech, times)

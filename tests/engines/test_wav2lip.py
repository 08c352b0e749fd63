"""The Wav2Lip engine: the reference's whole loop with a stand-in network, and what the pipeline makes of it."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import seeded
import torch
from lipsync_studio.pipelines.audio.wav2lip_mel import Wav2LipMel, first_columns
from lipsync_studio.pipelines.core.faces import CropSettings, MotionSettings, SpeakerFaces
from lipsync_studio.pipelines.core.host import PlainHost
from lipsync_studio.pipelines.core.types import FaceBatch
from lipsync_studio.pipelines.engines.wav2lip.engine import SIDE, Wav2LipEngine
from lipsync_studio.pipelines.faces.crop import plan_crops
from lipsync_studio.pipelines.faces.detector_crop import on_detected_boxes
from lipsync_studio.pipelines.lipsync import lip_sync_images
from lipsync_studio.pipelines.media.image_picture import ImageClip
from lipsync_studio.pipelines.plan import LipSyncSettings, plan_lip_sync
from made_up_faces import box_at, clip_faces, track_of
from numpy.typing import NDArray
from safetensors.numpy import load_file
from stamp_engine import clip_of, faces_at, tone
from torch import Tensor

HEIGHT, WIDTH = 150, 160  # px, of the golden's pictures


class StandIn:
    """The golden's network, which remembers what it was given."""

    def __init__(self) -> None:
        self.faces: list[Tensor] = []
        self.heard: list[Tensor] = []

    def __call__(self, faces: Tensor, heard: Tensor) -> Tensor:
        self.faces.append(faces)
        self.heard.append(heard)
        sound = 0.03 * heard.mean(dim=(1, 2))[:, None, None, None]
        return (0.25 + 0.5 * faces[:, 3:].flip(3) + 0.1 * faces[:, :3] + sound).clamp(0, 1)


@pytest.fixture(scope="module")
def golden(goldens: Path) -> dict[str, np.ndarray]:
    return load_file(goldens / "wav2lip_pipeline.safetensors")


def boxes_of(rects: NDArray[np.int32]) -> NDArray[np.int32]:
    """int32 [n, 4]: where the pipeline crops when a detector gave these."""
    count = len(rects)
    blank = np.zeros((count, 68, 2), np.float32)
    track = track_of(blank, rects.astype(np.float32), [True] * count, [0] * count)
    track = replace(track, width=WIDTH, height=HEIGHT)
    margin = Wav2LipEngine(StandIn()).spec.chin_margin
    return on_detected_boxes(plan_crops(track, CropSettings(), margin), track, CropSettings(), margin).boxes


def test_the_whole_loop_is_the_references(golden: dict[str, np.ndarray]) -> None:
    """To the byte, with OpenCV's resampling on both ways in place of this pack's."""
    cv2 = pytest.importorskip("cv2")
    frames = [seeded.image(f"w2l_frame{number}", HEIGHT, WIDTH) for number in range(8)]
    boxes = boxes_of(golden["e2e_rects"])
    mel = torch.from_numpy(golden["e2e_mel"]).float()
    numbers = golden["e2e_idx"]
    starts = first_columns(numbers / 25, mel.shape[1])
    cut = [frames[number % 8][y0:y1, x0:x1] for number in numbers for x0, y0, x1, y1 in [boxes[number % 8]]]
    bgr = np.stack([cv2.resize(face, (SIDE, SIDE)) for face in cut])
    network = StandIn()
    painted = Wav2LipEngine(network).paint(
        FaceBatch(
            crops=torch.from_numpy(bgr[..., ::-1].astype(np.float32) / 255),
            landmarks=np.zeros((len(numbers), 68, 2), np.float32),
            heard=torch.stack([mel[:, start : start + 16] for start in starts]),
            indices=(numbers % 8).astype(np.int64),
        )
    )
    place = numbers.tolist().index(3)
    assert np.abs(network.faces[0][place].numpy() - golden["e2e_face_input_3"]).max() < 1e-6
    levels = (painted.numpy()[..., ::-1] * 255).astype(np.uint8)
    for number, face, wanted in zip(numbers, levels, golden["e2e_frames"], strict=True):
        x0, y0, x1, y1 = boxes[number % 8]
        frame = frames[number % 8].copy()
        frame[y0:y1, x0:x1] = cv2.resize(face, (x1 - x0, y1 - y0))
        assert np.array_equal(frame, wanted)


def test_the_crop_is_the_detectors_box_whatever_the_landmarks() -> None:
    faces = clip_faces([(0, 0, box_at(500))], shot=[0])
    clip = ImageClip(torch.zeros(1, 800, 1000, 3), Fraction(25))
    plan = plan_lip_sync(clip, SpeakerFaces(faces), tone(0.04), Wav2LipEngine(StandIn()), LipSyncSettings())
    left, top, right, bottom = box_at(500)
    assert plan.crops.boxes.tolist() == [[left, top, right, bottom + 10]]
    assert plan.side == SIDE


@pytest.mark.parametrize("rate", [Fraction(24000, 1001), Fraction(25), Fraction(30), Fraction(50), Fraction(25, 3)])
def test_every_frame_hears_its_own_time_at_any_rate(rate: Fraction) -> None:
    network, speech = StandIn(), tone(1.0)
    clip = ImageClip(clip_of(6).images, rate)
    lip_sync_images(clip, faces_at([True] * 6), speech, Wav2LipEngine(network, 4), LipSyncSettings(), PlainHost())
    heard = torch.cat(network.heard)
    times = np.array([float(number / rate) for number in range(len(heard))])
    assert len(heard) == np.ceil(rate)
    assert torch.equal(heard, Wav2LipMel(speech).at(times))


def test_a_face_larger_than_it_paints_is_pointed_out() -> None:
    clip = ImageClip(torch.zeros(1, 800, 1000, 3), Fraction(25))
    for side, advised in ((100, False), (300, True)):
        faces = clip_faces([(0, 0, box_at(500, side=side))], shot=[0])
        plan = plan_lip_sync(clip, SpeakerFaces(faces), tone(0.04), Wav2LipEngine(StandIn()), LipSyncSettings())
        assert any("paints 96 px" in note for note in plan.report.notes) == advised


def test_it_is_labelled_non_commercial_where_people_read_it() -> None:
    engine = Wav2LipEngine(StandIn())
    assert "non-commercial" in engine.spec.label
    assert engine.spec.commercial_use.startswith("no: ")
    _, _, report = lip_sync_images(
        clip_of(2), faces_at([True, False]), tone(0.08), engine, LipSyncSettings(), PlainHost()
    )
    assert "non-commercial" in report.summary()
    assert '"engine": "Wav2Lip (non-commercial)"' in report.to_json()


def test_boxes_are_the_detectors_own_where_smoothing_is_off() -> None:
    """What the reference does: only the mean over five frames."""
    places = [500, 520, 480, 510, 490, 530]
    found = clip_faces([(frame, 0, box_at(x)) for frame, x in enumerate(places)], shot=[0] * 6)
    clip = ImageClip(torch.zeros(6, 800, 1000, 3), Fraction(25))
    faces = SpeakerFaces(found, motion=MotionSettings(smoothing=0))
    plan = plan_lip_sync(clip, faces, tone(0.24), Wav2LipEngine(StandIn()), LipSyncSettings())
    assert plan.crops.boxes[:2, 0].tolist() == [450, 456]

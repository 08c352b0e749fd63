"""LatentSync's steps around its networks, each against the reference's numbers.

Tolerances are the goldens': masks 2e-4, latents 1e-6, DDIM 1e-6 and relative L2 1e-5; of a picture's bytes at most
0.2 % may be off, by one.
"""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import seeded
import torch
from lipsync_studio.pipelines.engines.latentsync import alignment, ddim, inpainting, warp
from lipsync_studio.pipelines.engines.latentsync.engine import LatentSyncSettings, first_noise
from numpy.typing import NDArray
from safetensors.numpy import load_file
from stand_in_vae import StandInVAE

Arrays = dict[str, NDArray[np.float32]]
FRAME_SIZE = (360, 400)


@pytest.fixture(scope="module")
def affine(goldens: Path) -> Arrays:
    return load_file(goldens / "latentsync_affine.safetensors")


@pytest.fixture(scope="module")
def prepared(goldens: Path) -> Arrays:
    return load_file(goldens / "latentsync_prepare.safetensors")


@pytest.fixture(scope="module")
def scheduled(goldens: Path) -> Arrays:
    return load_file(goldens / "latentsync_ddim.safetensors")


def picture(name: str, height: int, width: int) -> NDArray[np.float32]:
    return (seeded.image(name, height, width) / 255).astype(np.float32)


def levels(picture: NDArray[np.float32]) -> NDArray[np.int64]:
    """As the reference writes them: cut off."""
    return np.floor(picture * np.float32(255)).astype(int)


def assert_bytes(found: NDArray[np.int64], wanted: NDArray[np.float32]) -> None:
    off = np.abs(found - wanted.astype(int))
    assert off.max() <= 1
    assert (off > 0).mean() < 0.002


@pytest.mark.parametrize("frame", [0, 6, 7])
def test_upright_faces_are_the_references_before_they_are_stretched(affine: Arrays, frame: int) -> None:
    matrix = np.linalg.inv(np.vstack([affine["M_256"][frame], [0, 0, 1]]))[:2]
    found = warp._sampled(picture("ls_frame", *FRAME_SIZE), matrix, (280, 210), warp.GREY)
    assert_bytes(levels(found + np.float32(warp._ROUNDING / 255))[::2, ::2], affine[f"face_raw_256_f{frame}"])


@pytest.mark.parametrize("resolution", [256, 512])
def test_upright_faces_are_the_references(affine: Arrays, resolution: int) -> None:
    matrix = affine[f"M_{resolution}"][0].astype(np.float64)
    found = warp.upright(picture("ls_frame", *FRAME_SIZE), matrix, resolution)
    assert found.dtype == np.float32
    assert_bytes(np.rint(found * 255).astype(int)[::2, ::2], affine[f"face_{resolution}_f0"])


CASES = json.loads((Path(__file__).parents[1] / "goldens" / "latentsync_affine.json").read_text())["cases"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_faces_are_laid_back_as_the_reference_does_it(affine: Arrays, case: dict[str, object]) -> None:
    resolution, name = int(str(case["resolution"])), case["name"]
    x0, y0, x1, y1 = np.array(case["region_xyxy"]).tolist()
    frame, face = picture("ls_frame", *FRAME_SIZE), picture(f"ls_face{resolution}", resolution, resolution)
    matrix = affine[f"M_{resolution}"][int(str(case["frame"]))].astype(np.float64)
    found = warp.laid_back(frame, face, matrix)
    assert_bytes(levels(found)[y0:y1:2, x0:x1:2], affine[f"{name}.out"])
    outside = np.ones(FRAME_SIZE, bool)
    outside[y0:y1, x0:x1] = False
    assert np.array_equal(found[outside], frame[outside])
    inside = warp.covered(alignment.face_size(resolution), matrix, FRAME_SIZE)
    assert inside.sum(dtype=float) == pytest.approx(case["total_area"], abs=0.05)
    if f"{name}.soft_mask" in affine:
        off = np.abs(warp.soft_edge(inside)[y0:y1:2, x0:x1:2] - affine[f"{name}.soft_mask"])
        assert off.max() < 2e-4


@pytest.mark.parametrize("shift", [(-5000.0, 0.0), (0.0, 5000.0), (-205.0, 0.0)])
def test_a_face_outside_the_crop_leaves_it_as_it_is(shift: tuple[float, float]) -> None:
    """Or all but as it is, where a sliver of less than 400 pixels is inside."""
    crop = picture("ls_frame", 64, 64)
    matrix = np.array([[1.0, 0.0, -shift[0]], [0.0, 1.0, -shift[1]]])
    found = warp.laid_back(crop, np.ones((256, 256, 3), np.float32), matrix)
    assert found.shape == crop.shape
    assert np.isfinite(found).all()
    assert np.array_equal(found[:, 20:], crop[:, 20:])


def test_beyond_the_crop_lies_grey() -> None:
    found = warp.upright(np.ones((8, 8, 3), np.float32), np.array([[1.0, 0, 1000], [0, 1, 0]]), 256)
    assert (np.rint(found * 255) == 127).all()


@pytest.mark.parametrize(("before", "after"), [(280, 256), (210, 256), (7, 3), (5, 5), (256, 512)])
def test_lanczos_equals_opencv_s(before: int, after: int) -> None:
    cv2 = pytest.importorskip("cv2")
    line = np.random.default_rng(1).integers(0, 256, (1, before)).astype(np.uint8)
    wanted = cv2.resize(line, (after, 1), interpolation=cv2.INTER_LANCZOS4)
    found = np.floor(line @ warp.lanczos4(before, after).T + 0.5).clip(0, 255)
    assert np.abs(found - wanted).max() <= 1
    assert (found == wanted).mean() > 0.98


def test_the_mask_is_the_references(prepared: Arrays) -> None:
    small, large = (np.rint(inpainting.kept(side).numpy() * 255) for side in (256, 512))
    assert np.array_equal(large[::2, ::2], prepared["mask_512"])
    closed = small == 0
    assert closed.mean() == pytest.approx(0.406998, abs=1e-6)
    assert np.flatnonzero(closed.any(axis=1))[[0, -1]].tolist() == [95, 242]
    assert np.flatnonzero(closed.any(axis=0))[[0, -1]].tolist() == [9, 247]


@pytest.mark.parametrize("resolution", [256, 512])
def test_the_unet_is_shown_the_references_latents(prepared: Arrays, resolution: int) -> None:
    faces = [picture(f"ls_prep{number}_{resolution}", resolution, resolution) for number in (0, 1)]
    shown = inpainting.condition(StandInVAE(), torch.from_numpy(np.stack(faces))).numpy()
    assert shown.shape == (9, 2, resolution // 8, resolution // 8)
    assert np.array_equal(shown[0, 1], prepared[f"mask_latent_{resolution}"])
    assert np.abs(shown[1:5, 1] - prepared[f"masked_latents_{resolution}"]).max() < 1e-6
    if resolution == 256:
        assert np.abs(shown[5:, 1] - prepared["ref_latents_256"]).max() < 1e-6


@pytest.mark.parametrize("resolution", [256, 512])
def test_what_is_kept_of_the_face_is_pasted_back(prepared: Arrays, resolution: int) -> None:
    decoded = torch.from_numpy(seeded.floats(f"ls_dec_{resolution}", (2, 3, resolution, resolution), 0.6))

    class Decoded(StandInVAE):
        def decode(self, samples_in: torch.Tensor) -> torch.Tensor:
            return (decoded / 2 + 0.5).movedim(1, -1)

    faces = [picture(f"ls_prep{number}_{resolution}", resolution, resolution) for number in (0, 1)]
    latents = torch.zeros(4, 2, resolution // 8, resolution // 8)
    found = inpainting.finished(Decoded(), latents, torch.from_numpy(np.stack(faces)))[0]
    step = 4 if resolution == 256 else 8
    wanted = prepared[f"pasted_{resolution}_sub4"]
    assert np.abs(found.movedim(-1, 0).numpy()[:, ::step, ::step] * 2 - 1 - wanted).max() < 1e-6


TIMES = json.loads((Path(__file__).parents[1] / "goldens" / "latentsync_ddim.json").read_text())["timesteps_for_steps"]


@pytest.mark.parametrize("count", TIMES)
def test_the_steps_are_at_the_references_times(count: str) -> None:
    assert [step.time for step in ddim.steps(int(count))] == TIMES[count]


def test_the_schedule_is_the_references(scheduled: Arrays) -> None:
    assert np.abs(ddim.signal_left().numpy() - scheduled["alphas_cumprod"]).max() < 1e-6
    assert ddim.steps(20)[-1].after == pytest.approx(0.99915, abs=1e-6), "a little noise stays"


@pytest.mark.parametrize("count", [1, 3, 999])
def test_each_step_begins_where_the_last_one_ended(count: int) -> None:
    steps = ddim.steps(count)
    assert len(steps) == count
    assert all(earlier.after == later.before for earlier, later in pairwise(steps))


def test_the_way_from_noise_to_picture_is_the_references(scheduled: Arrays) -> None:
    shape = (1, 4, 3, 8, 8)
    seen: list[torch.Tensor] = []

    def predict(noisy: torch.Tensor, time: int) -> torch.Tensor:
        number = len(seen)
        seen.append(noisy)
        silent, spoken = (torch.from_numpy(seeded.floats(f"ddim_{kind}{number}", shape)) for kind in "ua")
        return silent + 1.5 * (spoken - silent)

    found = ddim.denoise(torch.from_numpy(seeded.floats("ddim_x", shape)), predict, 20)
    for latents, name in ((seen[1], "x_after_0"), (seen[10], "x_after_9"), (found, "x_final")):
        wanted = torch.from_numpy(scheduled[name])
        assert (latents - wanted).norm() / wanted.norm() < 1e-5


def test_the_noise_of_a_seed_is_the_references(scheduled: Arrays) -> None:
    assert np.array_equal(first_noise(LatentSyncSettings()).numpy()[None], scheduled["shared_noise_cpu_seed1247"])

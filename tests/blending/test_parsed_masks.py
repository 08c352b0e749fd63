"""MuseTalk's masks from a label map, against the reference (tests/goldens/blending.json; full set in ../shared).

Tolerances: regions exact; soft masks within 1 of 255 (OpenCV blurs in fixed point); composed pictures within 1 of 255
where only the rounding differs, 2 where the mask does too.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import seeded
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from lipsync_studio.pipelines.blending.parsed_masks import (
    FEATHER_OFFLINE,
    FEATHER_REALTIME,
    ParsedMaskSettings,
    Region,
    cheek_kernel,
    jaw_kernel,
    parsed_mask,
    parsed_square,
    region_mask,
    square_mask,
)
from lipsync_studio.pipelines.blending.paste import paste
from lipsync_studio.pipelines.core.errors import InputError
from lipsync_studio.pipelines.core.types import Rect
from lipsync_studio.pipelines.media.image_picture import ImagePicture
from safetensors.numpy import load_file

GOLDENS = Path(__file__).parents[1] / "goldens"
CASES = json.loads((GOLDENS / "blending.json").read_text())["cases"]
REGIONS = [("raw", 90, 90), ("neck", 90, 90), ("jaw", 90, 90), ("jaw", 40, 130)]


@pytest.fixture(scope="module")
def reference(goldens: Path) -> dict[str, np.ndarray]:
    return load_file(goldens / "blending.safetensors")


def test_the_structuring_elements(reference: dict[str, np.ndarray]) -> None:
    np.testing.assert_array_equal(jaw_kernel(), reference["kernel33"])
    np.testing.assert_array_equal(cheek_kernel(), reference["cheek_kernel"])


@pytest.mark.parametrize(("region", "left", "right"), REGIONS)
def test_regions_are_the_references(reference: dict[str, np.ndarray], region: Region, left: int, right: int) -> None:
    mask = region_mask(reference["labels"], ParsedMaskSettings(region, left, right))
    expected = np.unpackbits(reference[f"labels.{region}.l{left}r{right}"], axis=1) * 255
    np.testing.assert_array_equal(mask, expected)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_soft_masks_are_the_references(reference: dict[str, np.ndarray], case: dict[str, Any]) -> None:
    box = Rect(*case["box"])
    assert parsed_square(box) == Rect(*case["crop_box"])
    region = region_mask(reference["labels"], ParsedMaskSettings(case["mode"]))
    for feather, key in ((FEATHER_OFFLINE, "mask"), (FEATHER_REALTIME, "rt_mask")):
        mask = square_mask(region, box, feather)
        np.testing.assert_allclose(mask.astype(int), reference[f"{case['name']}.{key}"], rtol=0, atol=1)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_composed_pictures_are_the_references(reference: dict[str, np.ndarray], case: dict[str, Any]) -> None:
    frame, box = seeded.image("blend_frame", 360, 420), Rect(*case["box"])
    face = torch.from_numpy(reference[case["name"] + ".face"].astype(np.float32) / 255)
    mask = parsed_mask(reference["labels"], box, ParsedMaskSettings(case["mode"]))
    pasted = paste(ImagePicture(torch.from_numpy(frame.astype(np.float32) / 255)), box, face, mask)
    result = (pasted.crop(Rect(*case["out_region"])) * 255).round().int().numpy()
    off = np.abs(result - reference[case["name"] + ".out"])
    assert off.max() <= 2
    assert (off > 1).mean() < 0.001


def test_all_goldens(shared: Path) -> None:
    labels = load_file(shared / "goldens/musetalk/parsing.safetensors")
    blending = load_file(shared / "goldens/musetalk/blending.safetensors")
    for name in [key for key in labels if ".l" in key]:
        picture, region, cheeks = name.split(".")
        left, right = (int(width) for width in cheeks[1:].split("r"))
        mask = region_mask(labels[picture], ParsedMaskSettings(region, left, right))  # type: ignore[arg-type]
        np.testing.assert_array_equal(mask, np.unpackbits(labels[name], axis=1) * 255, err_msg=name)
    for case in json.loads((shared / "goldens/musetalk/blending.json").read_text())["cases"]:
        region = region_mask(labels["labels"], ParsedMaskSettings(case["mode"]))
        for feather, key in ((0.0, "mask_pre"), (FEATHER_OFFLINE, "mask"), (FEATHER_REALTIME, "rt_mask")):
            mask = square_mask(region, Rect(*case["box"]), feather)
            np.testing.assert_allclose(mask.astype(int), blending[f"{case['name']}.{key}"], rtol=0, atol=1)


@given(st.integers(-50, 50), st.integers(1, 60), st.integers(1, 60), st.floats(0, 0.5))
@settings(max_examples=60, deadline=None)
def test_any_box_gets_a_mask_of_its_size(start: int, width: int, height: int, feather: float) -> None:
    labels = np.full((512, 512), 11, np.uint8)
    box = Rect(start, -start, start + width, height - start)
    mask = parsed_mask(labels, box, ParsedMaskSettings("raw", feather=feather))
    assert mask.shape == (height, width)
    assert 0 <= float(mask.min()) <= float(mask.max()) <= 1


@pytest.mark.parametrize("wrong", [{"left_cheek": -1}, {"right_cheek": 300}, {"feather": 0.6}, {"feather": -0.1}])
def test_settings_out_of_range(wrong: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        ParsedMaskSettings(**wrong)

"""What tools/draw_workflows.py can do without a browser: say where the weights of a graph come from."""

from __future__ import annotations

from typing import Any

import pytest
from draw_workflows import model_offers
from lipsync_studio.pipelines.weights.catalog import SD_VAE

MODEL = "generator.safetensors"
OFFER = {"name": MODEL, "url": "https://example.org/generator.safetensors", "directory": "checkpoints"}


def graph(**inputs: object) -> dict[str, Any]:
    return {"3": {"class_type": "SomeLoader", "inputs": inputs}}


def test_our_files_are_offered_as_the_catalog_has_them() -> None:
    (offer,) = model_offers(graph(vae_name=SD_VAE.place, type="wan", model=["1", 0]), [])["3"]
    assert offer["url"] == SD_VAE.sources[0].url
    assert offer["directory"] == "vae"
    assert offer["hash"] == SD_VAE.sha256


def test_other_files_are_offered_as_they_were_before() -> None:
    before = [{"id": 7, "properties": {}}, {"id": 8, "properties": {"models": [OFFER]}}, {"id": 9}]
    assert model_offers(graph(ckpt_name=MODEL), before) == {"3": [OFFER]}


def test_a_file_that_nobody_knows_is_refused() -> None:
    with pytest.raises(SystemExit, match=r"generator\.safetensors .* node 3"):
        model_offers(graph(ckpt_name=MODEL), [])

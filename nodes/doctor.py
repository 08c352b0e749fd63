"""The report on this machine, as a node and for the models panel."""

from __future__ import annotations

from pathlib import Path

import folder_paths
from comfy_api.latest import io

from ..pipelines.doctor import Finding, Place, examine, report
from . import models


class Doctor(io.ComfyNode):
    """Node: what this machine has and lacks."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="LipSyncDoctor",
            display_name="LipSync Doctor",
            category="LipSync Studio",
            description="What this machine has and lacks for LipSync Studio, as text to read and to paste into a bug "
            "report. No paths, no keys. The sidebar's LipSync models shows the same.",
            search_aliases=["lip", "doctor", "diagnose", "bug report", "system info", "requirements", "vram"],
            inputs=[],
            outputs=[io.String.Output(display_name="report")],
        )

    @classmethod
    def fingerprint_inputs(cls) -> float:
        """Never the same: what it looks at is not among its inputs."""
        return float("nan")

    @classmethod
    def execute(cls) -> io.NodeOutput:
        return io.NodeOutput(written_report())


def written_report() -> str:
    """The findings of `pipelines.doctor` in this ComfyUI, and the weights that are here."""
    comfyui = Path(folder_paths.__file__).parent
    custom_nodes = next((Path(folder) for folder in folder_paths.get_folder_paths("custom_nodes")), None)
    findings = examine(Place(comfyui, Path(folder_paths.models_dir), custom_nodes))
    return report([*findings, _weights()])


def _weights() -> Finding:
    states = models.states()
    here = [f"{key} ({state})" for key, state in states.items() if state != "missing"]
    return Finding("Weights", ", ".join(here) or f"none of {len(states)}")

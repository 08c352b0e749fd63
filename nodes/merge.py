"""Several speakers in one clip."""

from __future__ import annotations

from comfy_api.latest import io
from torch import Tensor

from ..pipelines.blending.merge import SyncedImages, merge_speakers
from ..pipelines.core.errors import InputError

MOST_SPEAKERS = 4


class MergeSpeakers(io.ComfyNode):
    """Node: one clip of several samplers' results."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        pairs: list[io.Input] = []
        for number in range(1, MOST_SPEAKERS + 1):
            optional = number > 2
            pairs.append(
                io.Image.Input(
                    f"images_{number}",
                    optional=optional,
                    tooltip=f"What the sampler of speaker {number} made. Every sampler gets the same source images.",
                )
            )
            pairs.append(
                io.Mask.Input(
                    f"mask_{number}", optional=optional, tooltip=f"The mask of the same sampler as images_{number}."
                )
            )
        return io.Schema(
            node_id="LipSyncMergeSpeakers",
            display_name="Merge Speakers",
            category="LipSync Studio",
            description="One clip of several: each speaker was synced on the same images with their own audio, and "
            "every mouth comes into one picture. Mix the voices with ComfyUI's own Merge Audio.",
            search_aliases=["lip", "several speakers", "dialogue", "conversation", "two people"],
            inputs=pairs,
            outputs=[io.Image.Output(display_name="images"), io.Mask.Output(display_name="mask")],
        )

    @classmethod
    def execute(cls, **pairs: Tensor | None) -> io.NodeOutput:
        results = [_result(number, pairs) for number in range(1, MOST_SPEAKERS + 1)]
        return io.NodeOutput(*merge_speakers([result for result in results if result is not None]))


def _result(number: int, pairs: dict[str, Tensor | None]) -> SyncedImages | None:
    """What is connected for one speaker; None when nothing is. Raises InputError when only half of it is."""
    images, mask = pairs.get(f"images_{number}"), pairs.get(f"mask_{number}")
    if images is None and mask is None:
        return None
    if images is None or mask is None:
        raise InputError(
            expected=f"both images_{number} and mask_{number}",
            got="only one of them",
            next_step="Connect both outputs of that speaker's sampler, or neither.",
        )
    return SyncedImages(images, mask)

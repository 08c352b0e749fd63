"""A weight file that is not in the catalog, for the tests of downloads."""

from __future__ import annotations

import hashlib
import random

from lipsync_studio.pipelines.weights.weight_file import Source, WeightFile

MIB = 2**20
CONTENT = random.Random(0).randbytes(24 * MIB)  # huggingface_hub writes 10 MiB at a time
REPO, PATH = "someone/weights", "folder/net.pth"
MIRROR = "another/copy"


def weight_file(content: bytes = CONTENT, path: str = PATH, mirrors: tuple[Source, ...] = ()) -> WeightFile:
    """The description of `content` at `path` of REPO."""
    return WeightFile(
        what="a test network",
        repo=REPO,
        path=path,
        size=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        licence="none",
        folder="checkpoints/tests",
        mirrors=mirrors,
    )

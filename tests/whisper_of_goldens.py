"""The Whisper encoder that LatentSync's goldens were made with."""

from __future__ import annotations

import numpy as np
import seeded_checkpoints
import torch
from lipsync_studio.pipelines.networks.whisper_encoder import WhisperEncoder


def latentsync_whisper() -> WhisperEncoder:
    """Seeded under openai's names, but for the positions, which are Whisper's own: sines, then cosines."""
    angles = torch.arange(1500)[:, None] * torch.exp(-np.log(10000) / 191 * torch.arange(192))
    state = seeded_checkpoints.of_golden("whisper_tiny_openai")
    positions = torch.cat([angles.sin(), angles.cos()], dim=1)
    return WhisperEncoder({**state, "encoder.positional_embedding": positions}, "seeded")

"""Denoising Diffusion Implicit Models (Song et al., 2021), as LatentSync's scheduler is set up.

configs/scheduler_config.json of bytedance/LatentSync@a229c39: noise is predicted, nothing is clipped, eta is 0.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import torch
from torch import Tensor

TRAINED_STEPS: Final = 1000
_BETAS: Final = (0.00085, 0.012)  # first and last, linear in their square roots
_OFFSET: Final = 1


@lru_cache(maxsize=1)
def signal_left() -> Tensor:
    """float32 [1000]: the share of the signal (in power) that is left after each step of adding noise."""
    first, last = (beta**0.5 for beta in _BETAS)
    return (1 - torch.linspace(first, last, TRAINED_STEPS) ** 2).cumprod(dim=0)


@dataclass(frozen=True)
class Step:
    """time: 0-999, for the UNet. before, after: the share of the signal before the step and after it."""

    time: int
    before: float
    after: float

    def __call__(self, noisy: Tensor, noise: Tensor) -> Tensor:
        """`noisy` with less of the predicted `noise`."""
        clean = (noisy - (1 - self.before) ** 0.5 * noise) / self.before**0.5
        return self.after**0.5 * clean + (1 - self.after) ** 0.5 * noise


def steps(count: int) -> tuple[Step, ...]:
    """From noise to picture in 2 to 999 steps. The last one leaves what noise the first of training had added.

    A single step is that last one, which leaves nearly all of the noise.
    """
    left, stride = signal_left().tolist(), TRAINED_STEPS // count
    times = [number * stride + _OFFSET for number in reversed(range(count))]
    return tuple(Step(time, left[time], left[max(0, time - stride)]) for time in times)


def denoise(noise: Tensor, predict: Callable[[Tensor, int], Tensor], count: int) -> Tensor:
    """The picture in `noise`. predict: a noisy picture and the time (0-999) -> the noise in it."""
    noisy = noise
    for step in steps(count):
        noisy = step(noisy, predict(noisy, step.time))
    return noisy

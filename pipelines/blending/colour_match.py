"""Gives the painted face the colours of the face around it: mean and covariance in a perceptual space, shot by shot.

Space: Oklab (Ottosson 2020, https://bottosson.github.io/posts/oklab/). Transfer: the linear map between Gaussians that
moves colours least (Pitié & Kokaram 2007, "The linear Monge-Kantorovitch linear colour mapping", eq. 6).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor

from .masks import Floats
from .paste import cover
from .scaling import fit_rect
from .scene import Scene
from .steady import Doubles, ShotMeasure, measured_frames

# Linear sRGB to cone responses, and their cube roots to Oklab.
TO_LMS: Final = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
TO_LAB: Final = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)

GRID: Final = 64  # px, the side of the thumbnails that are measured: colour without detail, which has its own match
RING: Final = 11  # px of the grid: how far from the mask the face around it is looked at
GAIN: Final = 1.5  # the most any direction of colour is stretched, or 1 / GAIN squeezed
SHIFT: Final = 0.15  # the most the mean moves, in Oklab (black to white is 1)
GRAIN: Final = 0.01  # standard deviation, in Oklab: variance below it is noise, and not to be matched
LEAST: Final = 40  # pixels of the grid; fewer say nothing
STRIP: Final = 64  # rows that are changed at once: they fit into a processor's cache, which halves the time


@dataclass(frozen=True)
class Transfer:
    """lab -> matrix @ lab + offset, in Oklab. matrix: float64 [3, 3]. offset: float64 [3]."""

    matrix: Doubles
    offset: Doubles

    @classmethod
    def between(cls, mean: Doubles, covariance: Doubles, to_mean: Doubles, to_covariance: Doubles) -> Transfer:
        """From one Gaussian towards another, as far as GAIN and SHIFT allow."""
        grain = np.eye(3) * GRAIN**2
        root, inverse = _roots(covariance + grain)
        middle, _ = _roots(root @ (to_covariance + grain) @ root)
        gains, axes = np.linalg.eigh(inverse @ middle @ inverse)
        matrix = (axes * gains.clip(1 / GAIN, GAIN)) @ axes.T
        shift = to_mean - mean
        shift *= min(1.0, SHIFT / max(float(np.linalg.norm(shift)), SHIFT))
        return cls(matrix, mean + shift - matrix @ mean)

    def apply(self, rgb: Floats) -> Floats:
        """float32 sRGB [..., 3], 0-1, from the same."""
        # Oklab is linear in the cube roots, so the map is made there and Oklab's own matrix is never applied.
        matrix = np.linalg.solve(TO_LAB, self.matrix @ TO_LAB)
        offset = np.linalg.solve(TO_LAB, self.offset)
        mapped = _mixed(matrix, _roots_of_lms(rgb)) + offset.astype(np.float32)[:, None, None]
        linear = _mixed(np.linalg.inv(TO_LMS), mapped * mapped * mapped).clip(0, 1)
        return np.moveaxis(_encoded(linear), 0, -1)


class ColourMatch:
    """Matches the painted faces of one shot. strength: 0-1; 0 leaves them alone."""

    def __init__(self, strength: float) -> None:
        self._strength = strength
        self._shot = ShotMeasure(_correction)

    def match(self, scene: Scene, faces: Tensor, masks: Sequence[Tensor]) -> Tensor:
        """float32 RGB [n, S, S, 3], 0-1: the faces in the colours of the scene's crops, where the masks are not 0.

        faces: the same, as they were painted. masks: float32 [h, w], 0-1, one for each.
        """
        rows = [_measure(scene.crops[i], faces[i], masks[i]) for i in measured_frames(len(faces))]
        changes = self._strength * self._shot.follow(np.stack(rows), len(faces))
        result = faces.numpy().copy()
        for face, mask, rect, change in zip(result, masks, scene.rects, changes, strict=True):
            transfer = Transfer(np.eye(3) + change[:, :3], change[:, 3])
            part = face[cover(mask, scene.side, rect)]
            for start in range(0, len(part), STRIP):
                strip = part[start : start + STRIP]
                strip[:] = transfer.apply(strip)
        return torch.from_numpy(result)


def _measure(crop: Tensor, painted: Tensor, mask: Tensor) -> Doubles:
    """[25]: how many pixels of the grid show the same, and sums of their colours and their products, in both."""
    near = _near(fit_rect(mask[..., None], GRID, GRID)[..., 0].numpy())
    wanted, given = (to_oklab(fit_rect(rgb, GRID, GRID).numpy()[near]).astype(np.float64) for rgb in (crop, painted))
    if len(wanted) < LEAST:
        return np.zeros(25)
    alike = _alike(wanted - given)
    sums = [part for lab in (given[alike], wanted[alike]) for part in (lab.sum(axis=0), (lab.T @ lab).ravel())]
    return np.concatenate([[alike.sum()], *sums])


def _alike(off: Doubles) -> NDArray[np.bool_]:
    """Which of the differences [k, 3] are of colour. A cast moves all colours much alike; what moved otherwise is other
    content: a chin that dropped, another shadow."""
    stray = np.linalg.norm(off - np.median(off, axis=0), axis=1)
    return stray <= 2 * np.median(stray) + GRAIN


def _near(mask: Floats) -> NDArray[np.bool_]:
    """[GRID, GRID]: the face around the mask and the outer half of its soft edge."""
    return (ndimage.maximum_filter(mask, size=2 * RING + 1) > 0) & (mask < 0.5)


def _correction(sums: Doubles) -> Doubles:
    """[3, 4]: matrix less identity, and offset, of the transfer for what was measured so far (see `_measure`)."""
    if sums[0] == 0:
        return np.zeros((3, 4))
    given, wanted = (sums[1:] / sums[0]).reshape(2, 12)
    moments = [(part[:3], part[3:].reshape(3, 3) - np.outer(part[:3], part[:3])) for part in (given, wanted)]
    transfer = Transfer.between(*moments[0], *moments[1])
    return np.column_stack([transfer.matrix - np.eye(3), transfer.offset])


def to_oklab(rgb: Floats) -> Floats:
    """float32 Oklab [..., 3] from float32 sRGB [..., 3], 0-1."""
    return np.moveaxis(_mixed(TO_LAB, _roots_of_lms(rgb)), 0, -1)


def _roots_of_lms(rgb: Floats) -> Floats:
    """float32 [3, ...] from float32 sRGB [..., 3], 0-1."""
    planes = np.ascontiguousarray(np.moveaxis(rgb, -1, 0))
    return np.cbrt(_mixed(TO_LMS, _decoded(planes)))


def _mixed(matrix: Doubles, planes: Floats) -> Floats:
    """matrix @ planes, [3, ...]. By hand: for so little work a matrix product's threads cost more than they give."""
    first, second, third = planes
    rows = matrix.astype(np.float32)
    return np.stack([row[0] * first + row[1] * second + row[2] * third for row in rows])


def _decoded(rgb: Floats) -> Floats:
    """Linear light from sRGB (IEC 61966-2-1)."""
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def _encoded(linear: Floats) -> Floats:
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)


def _roots(covariance: Doubles) -> tuple[Doubles, Doubles]:
    """The symmetric square root of a positive matrix, and its inverse."""
    values, axes = np.linalg.eigh(covariance)
    roots = np.sqrt(values.clip(GRAIN**4))
    return (axes * roots) @ axes.T, (axes / roots) @ axes.T

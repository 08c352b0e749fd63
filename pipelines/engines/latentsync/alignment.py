"""How LatentSync lays a face upright: brows and nose brought to fixed places by a similarity.

Source: latentsync/utils/affine_transform.py of bytedance/LatentSync@a229c39, and its release 1.5 (75a4a17) for the
three points of 68 landmarks. The current release takes InsightFace's 106 landmarks, whose nose lies a little elsewhere.
Matrices are [2, 3]: pixel (x, y, 1) of the one picture -> (x, y) of the other, whole numbers at pixel centres.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

import numpy as np
from numpy.typing import NDArray

Doubles = NDArray[np.float64]

FACE: Final = (75, 100)  # width and height, in units of the template
TEMPLATE: Final = np.array([[17.0, 20.0], [58.0, 20.0], [37.5, 40.0]])  # left brow, right brow, nose
PX_PER_UNIT: Final = 2.8  # at 256
NOSE: Final = 2

KEPT: Final = 0.2  # of the frame before's bias
MOST_KNOWN: Final = 2048  # frames whose bias is kept, for when the clip plays backwards
_LEAST_SPREAD: Final = 1e-3  # px; so that landmarks that are all in one place do no harm
_ROOM: Final = 1.0  # units around the face: the bias moves it by up to so much, and pixels have neighbours


def face_size(resolution: int) -> tuple[int, int]:
    """Width and height (px) of the upright face before it is stretched to `resolution`: 210x280 for 256."""
    scale = PX_PER_UNIT * resolution / 256
    return round(FACE[0] * scale), round(FACE[1] * scale)


def three_points(landmarks: NDArray[np.float32]) -> Doubles:
    """float64 [n, 3, 2]: the middles of the left and the right brow and of the nose, of landmarks [n, 68, 2]."""
    groups = (slice(17, 22), slice(22, 27), slice(27, 36))
    return np.stack([landmarks[:, group].mean(axis=1, dtype=np.float64) for group in groups], axis=1)


def similarities(points: Doubles, target: Doubles) -> tuple[Doubles, Doubles]:
    """The turns, scalings and shifts that bring points [n, 3, 2] closest to `target` [3, 2]: matrices [n, 2, 3].

    With them comes the bias [n, 2]: how far the nose is from its place when both are centred and of unit spread.
    Procrustes' method without mirroring (Umeyama, 1991); the spread is the unbiased one over all six coordinates.
    """
    middles, middle = points.mean(axis=1), target.mean(axis=0)
    spreads = np.maximum((points - middles[:, None]).std(axis=(1, 2), ddof=1), _LEAST_SPREAD)
    spread = (target - middle).std(ddof=1)
    forms = (points - middles[:, None]) / spreads[:, None, None]
    form = (target - middle) / spread
    left, _, right = np.linalg.svd(forms.transpose(0, 2, 1) @ form)
    right[np.linalg.det(left @ right) < 0, -1] *= -1
    turned = (left @ right).transpose(0, 2, 1) * (spread / spreads)[:, None, None]
    shifts = middle - np.einsum("nij,nj->ni", turned, middles)
    return np.concatenate([turned, shifts[:, :, None]], axis=2), form[NOSE] - forms[:, NOSE]


def face_boxes(landmarks: NDArray[np.float32]) -> NDArray[np.float32]:
    """float32 [n, 4] xyxy: what of the picture the upright faces show, from landmarks [n, 68, 2] in its pixels."""
    matrices, _ = similarities(three_points(landmarks), TEMPLATE)
    width, height = FACE
    low, right, bottom = -_ROOM, width + _ROOM, height + _ROOM
    corners = np.array([[low, low], [right, low], [right, bottom], [low, bottom]])
    turned, shifts = matrices[:, :, :2], matrices[:, None, :, 2]
    there = np.einsum("nij,nkj->nki", np.linalg.inv(turned), corners - shifts)
    return np.concatenate([there.min(axis=1), there.max(axis=1)], axis=1).astype(np.float32)


class NoseBias:
    """The reference's smoothing: each frame's bias, of which a fifth is the frame's before.

    It follows the frames in the order they are shown, starts anew with each shot and where they jump, and gives a frame
    that is shown again what it gave before.
    """

    def __init__(self) -> None:
        self._known: OrderedDict[int, Doubles] = OrderedDict()
        self._last: tuple[int, int] | None = None  # shot and source frame

    def follow(self, biases: Doubles, indices: NDArray[np.int64], shot: int) -> Doubles:
        """float64 [n, 2] from biases [n, 2] of source frames `indices` [n]."""
        for bias, index in zip(biases, indices.tolist(), strict=True):
            if index not in self._known:
                self._known[index] = self._smoothed(bias, index, shot)
            self._known.move_to_end(index)
            self._last = shot, index
        steady = np.stack([self._known[index] for index in indices.tolist()])
        while len(self._known) > MOST_KNOWN:
            self._known.popitem(last=False)
        return steady

    def _smoothed(self, bias: Doubles, index: int, shot: int) -> Doubles:
        if self._last is None or self._last[0] != shot or abs(self._last[1] - index) > 1:
            return bias
        return KEPT * self._known[self._last[1]] + (1 - KEPT) * bias


class Aligner:
    """Where each frame's face goes, steadied over one run."""

    def __init__(self, resolution: int) -> None:
        self._template = TEMPLATE * (PX_PER_UNIT * resolution / 256)
        self._bias = NoseBias()

    def matrices(
        self,
        landmarks: NDArray[np.float32],
        sizes: NDArray[np.float32],
        crop: tuple[int, int],
        indices: NDArray[np.int64],
        shot: int,
    ) -> Doubles:
        """float64 [n, 2, 3]: from crop pixels to the upright face's.

        landmarks: [n, 68, 2] in crop pixels. sizes: [n, 2], width and height of each crop in the picture. crop: its own
        width and height. The similarity is one of the picture; the crop may be stretched.
        """
        scales = sizes / np.array(crop, np.float64)
        matrices, biases = similarities(three_points(landmarks) * scales[:, None], self._template)
        matrices[:, :, 2] += self._bias.follow(biases, indices, shot)
        return _from_crop(matrices, scales)


def _from_crop(matrices: Doubles, scales: Doubles) -> Doubles:
    """Matrices [n, 2, 3] of a picture, for a crop whose pixels are `scales` [n, 2] of the picture's wide and high.

    Whole numbers are pixel centres, so x of the crop is (x + 0.5) scale - 0.5 in the picture.
    """
    turned = matrices[:, :, :2] * scales[:, None]
    corner = np.einsum("nij,nj->ni", matrices[:, :, :2], scales / 2 - 0.5)
    return np.concatenate([turned, (matrices[:, :, 2] + corner)[:, :, None]], axis=2)

"""YUV and RGB: which matrix and range a picture has, and the exact conversion between its codes and RGB.

Code points are those of ITU-T H.273, as containers and PyAV carry them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

UNSPECIFIED = 2
BT709 = 1
SMPTE170M = 6
FULL_RANGE = 2
PQ, HLG = 16, 18

# Below this height an untagged picture counts as standard definition, the usual rule of players.
HD_HEIGHT = 720

# K_R and K_B by matrix code point (H.273, 8.3). 1: BT.709. 4: FCC. 5, 6: BT.601. 7: SMPTE 240M. 9: BT.2020.
# 10 (BT.2020 constant luminance) is read as 9, which is what players do.
LUMA_WEIGHTS: dict[int, tuple[float, float]] = {
    BT709: (0.2126, 0.0722),
    4: (0.30, 0.11),
    5: (0.299, 0.114),
    SMPTE170M: (0.299, 0.114),
    7: (0.212, 0.087),
    9: (0.2627, 0.0593),
    10: (0.2627, 0.0593),
}

# libswscale's own numbers for the same matrices (SWS_CS_*); it knows BT.601 under one of its three names.
SWSCALE_MATRIX: dict[int, int] = {BT709: 1, 4: 4, 5: 5, SMPTE170M: 5, 7: 7, 9: 9, 10: 9}


@dataclass(frozen=True)
class ColourTags:
    """What a file says about its colours. matrix, primaries, transfer: H.273 code points; 2 = it does not say.

    range: 0 = it does not say, 1 = limited (16-235), 2 = full (0-255).
    """

    matrix: int = UNSPECIFIED
    primaries: int = UNSPECIFIED
    transfer: int = UNSPECIFIED
    range: int = 0

    @property
    def full_range(self) -> bool:
        """Untagged YUV is limited range, the default of H.264, HEVC and every player."""
        return self.range == FULL_RANGE

    @property
    def is_hdr(self) -> bool:
        """Made for high dynamic range (PQ or HLG)."""
        return self.transfer in (PQ, HLG)

    def resolved(self, height: int) -> ColourTags:
        """The same with a matrix that is known: for a missing or exotic one, 709 from 720 lines up, else 601."""
        if self.matrix in LUMA_WEIGHTS:
            return self
        return replace(self, matrix=BT709 if height >= HD_HEIGHT else SMPTE170M)


def tags_for_rgb(height: int) -> ColourTags:
    """Tags for YUV made of RGB: everything said, and the matrix that players without tags would guess too."""
    return ColourTags(primaries=BT709, transfer=BT709, range=1).resolved(height)


@dataclass(frozen=True)
class Conversion:
    """Codes <-> RGB for one matrix, range and depth: rgb = codes @ to_rgb + rgb_offset, and the reverse.

    to_rgb, to_codes: float32 [3, 3]. rgb_offset, code_offset: float32 [3]. peak: the highest code (255 or 1023).
    numpy, not torch: beside an encoder that uses all cores, torch's thread pool made these small sums ten times slower.
    """

    to_rgb: Floats
    rgb_offset: Floats
    to_codes: Floats
    code_offset: Floats
    peak: int

    @classmethod
    def build(cls, tags: ColourTags, bits: int) -> Conversion:
        """For pictures with these `tags` (resolved) of `bits` per sample."""
        scale, offset = code_range(bits, tags.full_range)
        to_codes = rgb_to_ycbcr(*LUMA_WEIGHTS[tags.matrix]).T * scale
        to_rgb = np.linalg.inv(to_codes)
        return cls(
            to_rgb=to_rgb.astype(np.float32),
            rgb_offset=(-offset @ to_rgb).astype(np.float32),
            to_codes=to_codes.astype(np.float32),
            code_offset=offset.astype(np.float32),
            peak=(1 << bits) - 1,
        )

    def rgb(self, codes: Floats) -> Floats:
        """float32 RGB [h, w, 3], 0-1, of Y, Cb, Cr [h, w, 3]. Colours outside RGB are clipped."""
        rgb = _affine(codes, self.to_rgb, self.rgb_offset)
        return np.clip(rgb, 0, 1, out=rgb)

    def codes(self, rgb: Floats) -> Floats:
        """float32 Y, Cb, Cr [h, w, 3], not rounded, of RGB [h, w, 3], 0-1."""
        return _affine(rgb, self.to_codes, self.code_offset)


def _affine(pixels: Floats, matrix: Floats, offset: Floats) -> Floats:
    height, width, _ = pixels.shape
    mixed = pixels @ matrix
    rows = mixed.reshape(height, 3 * width)
    rows += np.tile(offset, width)  # whole rows: a broadcast over three values costs more than the product
    return mixed


def rgb_to_ycbcr(kr: float, kb: float) -> NDArray[np.float64]:
    """float64 [3, 3]: R'G'B' 0-1 to Y' 0-1, Cb and Cr -0.5..0.5 (H.273, 8.3)."""
    luma = np.array([kr, 1 - kr - kb, kb])
    blue = (np.array([0, 0, 1]) - luma) / (2 * (1 - kb))
    red = (np.array([1, 0, 0]) - luma) / (2 * (1 - kr))
    return np.stack([luma, blue, red])


def code_range(bits: int, full_range: bool) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(scale, offset), float64 [3] each: code = scale * value + offset (H.273, 8.3)."""
    if full_range:
        peak = (1 << bits) - 1
        return np.array([peak, peak, peak], np.float64), np.array([0, 1 << (bits - 1), 1 << (bits - 1)], np.float64)
    unit = 1 << (bits - 8)
    return np.array([219, 224, 224], np.float64) * unit, np.array([16, 128, 128], np.float64) * unit

"""MuseTalk's own way to faces: the baseline of `bench.py faces`, and the oracle of S3FD's decoding in the tests.

What it does is read from TMElyralab/MuseTalk@0a89dec (scripts/inference.py, musetalk/utils/preprocessing.py,
musetalk/utils/face_detection/): every frame becomes a PNG and is read back; then, frame by frame, DWPose looks at the
whole of it and at its mirror image, S3FD looks at all of its pixels, and S3FD's candidates are decoded one by one.
MMPose's overhead around DWPose is left out.
"""

from __future__ import annotations

from pathlib import Path

import av
import cv2
import numpy as np
import torch
from lipsync_studio.pipelines.networks.rtmpose import HEIGHT, WIDTH, RTMPose, face_points, network_input
from lipsync_studio.pipelines.networks.s3fd import MEANS, S3FD, Level
from numpy.typing import NDArray
from reference_way import Stopwatch
from torch.nn import functional

Pixels = NDArray[np.uint8]


@torch.inference_mode()
def run(video: Path, s3fd: S3FD, dwpose: RTMPose, folder: Path) -> Stopwatch:
    """Take `video` through the reference's stages. folder: an empty folder for its files."""
    watch = Stopwatch()
    with watch.stage("video to PNG"), av.open(str(video)) as container:
        for index, frame in enumerate(container.decode(video=0)):
            cv2.imwrite(str(folder / f"{index:08d}.png"), frame.to_ndarray(format="bgr24"))
    with watch.stage("read PNG"):
        frames = [cv2.imread(str(name)) for name in sorted(folder.glob("*.png"))]
    for bgr in frames:
        rgb = np.ascontiguousarray(np.asarray(bgr, np.uint8)[..., ::-1])
        with watch.stage("DWPose, twice"):
            landmarks(dwpose, rgb)
        with watch.stage("S3FD, full size"):
            levels = s3fd(torch.from_numpy((rgb - np.array(MEANS)).transpose(2, 0, 1)[None]).float())
        with watch.stage("decode candidates"):
            faces(candidates(levels))
    return watch


def landmarks(dwpose: RTMPose, rgb: Pixels) -> NDArray[np.float32]:
    """float32 [68, 2] px of the face of the person that the whole picture is taken for."""
    height, width, _ = rgb.shape
    step = 1.25 * max(width, height * WIDTH / HEIGHT) / WIDTH
    into = np.array([[1 / step, 0, (WIDTH - width / step) / 2], [0, 1 / step, (HEIGHT - height / step) / 2]])
    small = cv2.warpAffine(rgb, into, (WIDTH, HEIGHT), flags=cv2.INTER_LINEAR)
    pixels = network_input(torch.from_numpy(small)[None].float())
    columns, rows = zip(*(dwpose(view) for view in (pixels, pixels.flip(3))), strict=True)
    points = face_points(torch.cat(columns), torch.cat(rows))[0].numpy()
    return ((points - (WIDTH / 2, HEIGHT / 2)) * step + (width / 2, height / 2)).astype(np.float32)


def candidates(levels: list[Level]) -> NDArray[np.float32]:
    """float32 [k, 5], xyxy px and score, of every cell with a score above 0.05, one at a time."""
    found = []
    for number, (logits, offsets) in enumerate(levels):
        scores, stride = functional.softmax(logits, dim=1), 2 ** (number + 2)
        for _, row, column in zip(*np.where(scores[:, 1].numpy() > 0.05), strict=True):
            centre = torch.tensor([stride / 2 + column * stride, stride / 2 + row * stride])
            offset, side = offsets[0, :, row, column], 4.0 * stride
            middle, size = centre + offset[:2] * 0.1 * side, side * torch.exp(offset[2:] * 0.2)
            corner = middle - size / 2
            found.append(torch.cat([corner, corner + size, scores[:, 1, row, column]]).numpy())
    return np.array(found, np.float32).reshape(-1, 5)


def faces(found: NDArray[np.float32], same: float = 0.3, least: float = 0.5) -> NDArray[np.float32]:
    """The candidates that overlap no better one by more than `same`, best first, with a score above `least`."""
    x0, y0, x1, y1, scores = found.T
    areas = (x1 - x0 + 1) * (y1 - y0 + 1)
    order, kept = scores.argsort()[::-1], []
    while len(order):
        best, rest = order[0], order[1:]
        kept.append(best)
        wide = np.minimum(x1[best], x1[rest]) - np.maximum(x0[best], x0[rest]) + 1
        high = np.minimum(y1[best], y1[rest]) - np.maximum(y0[best], y0[rest]) + 1
        common = np.maximum(wide, 0) * np.maximum(high, 0)
        order = rest[common / (areas[best] + areas[rest] - common) <= same]
    return found[[index for index in kept if scores[index] > least]]

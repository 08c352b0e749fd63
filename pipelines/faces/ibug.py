"""The 68 iBUG points: where they are among the 478 of MediaPipe's face mesh, and the box they fill."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# One mesh point for each iBUG point: the table in wide use for this (`landmark_points_68` in many projects). It says
# where a point lies on the face, so the jaw follows the mesh's outline, not the outline seen in a picture.
MESH_POINTS = np.array(
    [
        *(162, 234, 93, 58, 172, 136, 149, 148, 152, 377, 378, 365, 397, 288, 323, 454, 389),  # 0-16 jaw
        *(71, 63, 105, 66, 107, 336, 296, 334, 293, 301),  # 17-26 brows
        *(168, 197, 5, 4, 75, 97, 2, 326, 305),  # 27-35 bridge and base of the nose
        *(33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380),  # 36-47 eyes
        *(61, 39, 37, 0, 267, 269, 291, 405, 314, 17, 84, 181),  # 48-59 outer lips
        *(78, 82, 13, 312, 308, 317, 14, 87),  # 60-67 inner lips
    ]
)

# A detector's box holds the forehead, the 68 points end at the brows. Measured on six clips: YuNet's box begins above
# them by 0.25 to 0.37 of their height, and ends with them on the other sides, within 0.06 of their size.
_FOREHEAD = 0.33


def face_box(landmarks: NDArray[np.float32]) -> NDArray[np.float32]:
    """float32 [4] xyxy: the box a detector would draw around a face with these iBUG points [68, 2]."""
    (x0, y0), (x1, y1) = landmarks.min(axis=0), landmarks.max(axis=0)
    return np.array([x0, y0 - _FOREHEAD * (y1 - y0), x1, y1], np.float32)

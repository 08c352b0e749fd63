"""Who of the people found in a clip speaks, and their track through it. Arithmetic on what was found, nothing else."""

from __future__ import annotations

from typing import cast

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ..core.errors import InputError, NoFaceError
from ..core.faces import TRUSTED, ClipFaces, FaceTrack, SpeakerChoice, SpeakerFaces
from ..core.rows import Rows
from .bridge import bridge_gaps
from .likeness import OTHER
from .pieces import blocks
from .smoothing import smooth

# Rules that choose anew in each shot.
_OF_EACH_SHOT = ("largest", "leftmost", "rightmost")

# Who is seen in less than this part of the frames in which the most seen person of the shot is, is a passer-by, and
# never the leftmost or the rightmost.
_SEEN = 0.25

# How far from a face a point may lie and still mean it, in sides of that face: the hair, the ears and the neck do.
_BESIDE = 1.0


def speaker_track(faces: SpeakerFaces) -> FaceTrack:
    """The speaker that `faces.choice` names, present where their landmarks can be trusted, made steady.

    Raises InputError where the choice fits nobody, NoFaceError where nobody was found or the one who was chosen can
    never be trusted.
    """
    found = faces.found
    chosen = chosen_rows(found, faces.choice)
    usable = chosen[found.scores[chosen] >= TRUSTED]
    if not len(usable):
        raise _never_usable(found, chosen, faces.choice)
    track = _track(found, usable)
    return smooth(bridge_gaps(track, faces.motion.bridge, found.flash), faces.motion.smoothing)


def chosen_rows(found: ClipFaces, choice: SpeakerChoice) -> NDArray[np.int64]:
    """int64, rising: the rows of the table that show the one who speaks, trusted or not.

    Raises InputError where the choice fits nobody, NoFaceError where nobody was found.
    """
    if not len(found.frames):
        raise NoFaceError(
            expected="a face in at least one frame",
            got=f"none in {len(found)} frames",
            next_step="Use a clip in which the speaker's face can be seen.",
        )
    if choice.rule in _OF_EACH_SHOT:
        return _first_of_each_shot(found, choice)
    if choice.rule == "point":
        person = _at_point(found, choice)
    elif choice.rule == "likeness":
        person = _most_alike(found, choice)
    else:
        person = _numbered(found, choice)
    return np.flatnonzero(found.people == person)


def _first_of_each_shot(found: ClipFaces, choice: SpeakerChoice) -> NDArray[np.int64]:
    """Rows of the person that comes first by the rule in each shot; of two that are equal, the lower number."""
    people = len(found.likeness)
    in_shot = found.shot[found.frames].astype(np.int64) * people + found.people
    pairs, pair = np.unique(in_shot, return_inverse=True)
    shots = pairs // people
    order = np.lexsort((_place(found, choice, pair, shots), shots))
    _, first = np.unique(shots[order], return_index=True)
    is_first = np.zeros(len(pairs), bool)
    is_first[order[first]] = True
    return np.flatnonzero(is_first[pair])


def _place(
    found: ClipFaces, choice: SpeakerChoice, pair: NDArray[np.int64], shots: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Where each (shot, person) stands by the rule, the lowest first.

    pair: of each row of the table, which of them it is. shots: the shot of each.
    """
    boxes = found.boxes
    if choice.rule == "largest":
        areas = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
        return -np.bincount(pair, weights=areas).astype(np.float64)
    sign = 1 if choice.rule == "leftmost" else -1
    centre = sign * ndimage.median((boxes[:, 0] + boxes[:, 2]) / 2, pair, np.arange(len(shots)))
    seen = np.bincount(pair)
    most = np.zeros(shots.max() + 1, np.int64)
    np.maximum.at(most, shots, seen)
    return np.where(seen >= _SEEN * most[shots], centre, np.inf)


def _numbered(found: ClipFaces, choice: SpeakerChoice) -> int:
    count = len(found.likeness)
    if not 0 <= choice.person < count:
        raise InputError(
            expected=f"a person from 0 to {count - 1}",
            got=f"person {choice.person} of {count} people",
            next_step="Set `person` to one of those; 0 is the one whose faces cover the largest area over the clip.",
        )
    return choice.person


def _at_point(found: ClipFaces, choice: SpeakerChoice) -> int:
    """The person whose face is at the point; of several that hold it, the one whose middle is nearest."""
    first, end = np.searchsorted(found.frames, [choice.frame, choice.frame + 1])
    if first == end:
        raise _nobody_on_frame(found, choice.frame)
    boxes, point = found.boxes[first:end], np.array(choice.point, np.float32)
    size = np.maximum(boxes[:, 2:] - boxes[:, :2], 1)
    middle = (boxes[:, :2] + boxes[:, 2:]) / 2
    away = np.linalg.norm(np.maximum(0, np.abs(point - middle) - size / 2), axis=1) / np.sqrt(np.prod(size, axis=1))
    order = np.lexsort((np.linalg.norm(point - middle, axis=1), away))
    if away[order[0]] > _BESIDE:
        seen = ", ".join(f"({x:.0f}, {y:.0f})" for x, y in middle)
        raise InputError(
            expected=f"a face at ({point[0]:.0f}, {point[1]:.0f}) on frame {choice.frame}",
            got=f"faces at {seen}",
            next_step="Set `x` and `y` to a place on the speaker's face.",
        )
    return int(found.people[first + order[0]])


def _nobody_on_frame(found: ClipFaces, frame: int) -> InputError:
    if not 0 <= frame < len(found):
        return InputError(
            expected=f"a frame from 0 to {len(found) - 1}",
            got=f"frame {frame}",
            next_step="Set `frame` to one of this clip; the first is 0.",
        )
    row = int(np.searchsorted(found.frames, frame))
    nearest = {int(number) for number in found.frames[max(row - 1, 0) : row + 1]}
    return InputError(
        expected=f"a face on frame {frame}",
        got="none there",
        next_step="Set `frame` to one that shows the speaker; the nearest with a face: "
        + " and ".join(str(number) for number in sorted(nearest))
        + ".",
    )


def _most_alike(found: ClipFaces, choice: SpeakerChoice) -> int:
    wanted, known = choice.likeness, found.likeness
    if not known.shape[1] or wanted.shape != known.shape[1:]:
        raise InputError(
            expected="faces and a reference face with likenesses of the same kind",
            got=f"{known.shape[1]} values for the faces and {len(wanted)} for the reference",
            next_step="Choose the speaker in another way: these faces come from a source that does not look at people.",
        )
    alike = known @ wanted
    best = int(np.argmax(alike))
    if alike[best] < OTHER:
        raise InputError(
            expected=f"somebody in the clip whose likeness to the reference face is {OTHER} or more",
            got=f"{alike[best]:.2f} at most (person {best})",
            next_step="Use a picture of the speaker in the same clothes and light, such as a frame of this clip, "
            "or choose them in another way.",
        )
    return best


def _never_usable(found: ClipFaces, chosen: NDArray[np.int64], choice: SpeakerChoice) -> NoFaceError:
    who = f"the {choice.rule} face" if choice.rule in _OF_EACH_SHOT else f"person {found.people[chosen[0]]}"
    others = np.unique(found.people[found.scores >= TRUSTED]).tolist()
    instead = f" Or choose somebody else: person {', '.join(map(str, others))}." if others else ""
    return NoFaceError(
        expected=f"{who} turned to the camera in at least one frame",
        got=f"only faces in profile, covered or cut off in {len(chosen)} frames",
        next_step=f"Use a clip in which both eyes and the mouth of the speaker can be seen.{instead}",
    )


def _track(found: ClipFaces, rows: NDArray[np.int64]) -> FaceTrack:
    """The track that is present in just the frames of these rows."""
    count = len(found)
    row_of = np.full(count, -1, np.int64)
    row_of[found.frames[rows]] = rows
    present = row_of >= 0
    boxes = np.where(present[:, None], found.boxes[row_of], np.float32(0))
    landmarks = Rows((68, 2), np.float32)
    for first, end in blocks(0, count):
        there = present[first:end, None, None]
        landmarks.add(np.where(there, found.landmarks[row_of[first:end]], np.float32(0)))
    return FaceTrack(
        present=present,
        bridged=np.zeros(count, bool),
        landmarks=cast(NDArray[np.float32], landmarks.table()),
        boxes=boxes,
        shot=found.shot,
        width=found.width,
        height=found.height,
    )

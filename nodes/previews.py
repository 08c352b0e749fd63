"""What the editor can look at after BBox Shift has run: any frame with any crop, without running the graph again."""

from __future__ import annotations

import secrets
import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from io import BytesIO
from typing import Final, Literal, cast, get_args

from torch.utils.weak import TensorWeakRef

from ..pipelines.core.errors import InputError
from ..pipelines.core.faces import CropSettings, FaceTrack, MotionSettings, SpeakerFaces
from ..pipelines.core.types import FrameSource
from ..pipelines.faces.speaker import speaker_track
from ..pipelines.media.decode import VideoClip
from ..pipelines.media.image_picture import ImageClip
from ..pipelines.preview import preview_frame

Convention = Literal["engine's own", "MuseTalk 1.5", "MuseTalk 1.0"]

# px the crop reaches below the chin; None leaves it to the engine. MuseTalk's scripts/inference.py adds 10 for v1.5 and
# nothing for v1 (TMElyralab/MuseTalk@0a89dec).
_MARGINS: Final[Mapping[Convention, int | None]] = {"engine's own": None, "MuseTalk 1.5": 10, "MuseTalk 1.0": 0}
OWN_MARGIN: Final = -1

BOUNDS: Final = {"bbox_shift": (-200, 200), "extra_margin": (OWN_MARGIN, 400), "upper_bound": (-400, 400)}  # px

# px and JPEG quality of the pictures in the node, which is about 380 px wide when it is new.
_SIDE: Final = 512
_QUALITY: Final = 85


@dataclass(frozen=True)
class ShiftSettings:
    """The widgets of BBox Shift, by their names. Checked when made: they also come out of a URL."""

    bbox_shift: int = 0
    extra_margin: int = OWN_MARGIN
    upper_bound: int = 0
    convention: Convention = "engine's own"
    smoothing: float = MotionSettings.smoothing

    def __post_init__(self) -> None:
        for name, (least, most) in {**BOUNDS, "smoothing": (0, 1)}.items():
            if not least <= getattr(self, name) <= most:
                raise _refused(f"a {name} from {least} to {most}", getattr(self, name))
        if self.convention not in get_args(Convention):
            raise _refused(f"a convention out of {', '.join(get_args(Convention))}", self.convention)

    @classmethod
    def read(cls, texts: Mapping[str, str]) -> ShiftSettings:
        """From texts by the widgets' names; what is missing has its default. Raises InputError."""
        try:
            return cls(
                bbox_shift=int(texts.get("bbox_shift", cls.bbox_shift)),
                extra_margin=int(texts.get("extra_margin", cls.extra_margin)),
                upper_bound=int(texts.get("upper_bound", cls.upper_bound)),
                convention=cast(Convention, texts.get("convention", cls.convention)),
                smoothing=float(texts.get("smoothing", cls.smoothing)),
            )
        except ValueError as error:
            raise _refused("numbers for the settings of BBox Shift", dict(texts)) from error

    def apply(self, faces: SpeakerFaces) -> SpeakerFaces:
        """The same faces with this crop and this smoothing. Nothing is detected."""
        margin = _MARGINS[self.convention] if self.extra_margin == OWN_MARGIN else self.extra_margin
        return replace(
            faces,
            motion=replace(faces.motion, smoothing=self.smoothing),
            crop=CropSettings(shift=self.bbox_shift, margin=margin, upper=self.upper_bound),
        )


def _refused(expected: str, got: object) -> InputError:
    return InputError(expected=expected, got=repr(got)[:80], next_step="Change it.")


@dataclass(frozen=True)
class Preview:
    """One result of BBox Shift. source: gives the clip; None when none was connected, or its images are gone."""

    faces: SpeakerFaces
    source: Callable[[], FrameSource | None]


class Previews:
    """Previews by random names. A preview lives as long as ComfyUI keeps the result it belongs to.

    So running the graph always brings a preview back: where ComfyUI has dropped the result, the node runs anew. Images
    in memory are held weakly, because a preview must not keep what ComfyUI wants to free. Of a video, its name (its
    compressed bytes, where it is in memory only) and its index are held. Previews are drawn in one thread; they are
    made and dropped in any.
    """

    def __init__(self) -> None:
        self._known: dict[str, Preview] = {}
        self._drawn: tuple[Preview, MotionSettings, FaceTrack] | None = None

    def keep(self, result: SpeakerFaces, source: VideoClip | ImageClip | None) -> str:
        """The name of a new preview, which goes when `result` goes."""
        token = secrets.token_urlsafe(16)
        self._known[token] = Preview(replace(result), _held(source))  # a copy, which does not keep `result`
        weakref.finalize(result, self._known.pop, token, None).atexit = False
        return token

    def get(self, token: str) -> Preview | None:
        """None when it is gone."""
        return self._known.get(token)

    def draw(self, preview: Preview, frame: int, settings: ShiftSettings) -> bytes:
        """A JPEG of the frame with these settings. Raises InputError for a frame that the clip does not have."""
        last = len(preview.faces.found) - 1
        if not 0 <= frame <= last:
            raise _refused(f"a frame from 0 to {last}", frame)
        faces = settings.apply(preview.faces)
        file = BytesIO()
        picture = preview_frame(preview.source(), faces, self._track(preview, faces), frame, _SIDE)
        picture.save(file, "JPEG", quality=_QUALITY)
        return file.getvalue()

    def _track(self, preview: Preview, faces: SpeakerFaces) -> FaceTrack:
        """`speaker_track`; the last one is kept, since whoever scrubs needs it again for the next frame."""
        if self._drawn is None or self._drawn[0] is not preview or self._drawn[1] != faces.motion:
            self._drawn = (preview, faces.motion, speaker_track(faces))
        return self._drawn[2]


def _held(source: VideoClip | ImageClip | None) -> Callable[[], FrameSource | None]:
    if not isinstance(source, ImageClip):
        return lambda: source
    images, rate = TensorWeakRef(source.images), source.rate

    def clip() -> ImageClip | None:
        alive = images()
        return None if alive is None else ImageClip(alive, rate)

    return clip


PREVIEWS = Previews()

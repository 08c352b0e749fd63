"""Which FFmpeg PyAV brings, and whether it can write what the pack writes."""

from __future__ import annotations

from dataclasses import dataclass

import av

# Of what the samplers write: H.264 or H.265, and AAC.
_ENCODERS = ("libx264", "libx265", "aac")


@dataclass(frozen=True)
class MediaLibraries:
    """pyav: its version. ffmpeg: FFmpeg's libraries, "libavcodec 62.11.100". missing: encoders that are not there."""

    pyav: str
    ffmpeg: tuple[str, ...]
    missing: tuple[str, ...]


def media_libraries() -> MediaLibraries:
    """What is installed here."""
    versions = {name: ".".join(map(str, version)) for name, version in sorted(av.library_versions.items())}
    shown = tuple(f"{name} {versions[name]}" for name in ("libavcodec", "libavformat") if name in versions)
    missing = tuple(name for name in _ENCODERS if name not in av.codecs_available)
    return MediaLibraries(av.__version__, shown, missing)

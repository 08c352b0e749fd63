"""The one exception root of the pack. Every message says what was expected, what came, and what to do next."""

from __future__ import annotations


class LipSyncError(Exception):
    """Something the user can act on.

    expected: what would have been right. got: what came instead. next_step: what to do about it.
    """

    def __init__(self, *, expected: str, got: str, next_step: str) -> None:
        super().__init__(f"Expected {expected}; got {got}. {next_step}")
        self.expected = expected
        self.got = got
        self.next_step = next_step


class InputError(LipSyncError):
    """A value given to a node or a pipeline cannot be used (empty audio, faces of another clip, a bad setting)."""


class MediaError(LipSyncError):
    """A video or audio file cannot be read, or the result cannot be written."""


class NoFaceError(LipSyncError):
    """No face in any frame, so there is no mouth to move."""


class WeightsError(LipSyncError):
    """A weight file is missing, damaged, or made for another network."""


class CloudError(LipSyncError):
    """A service on the internet refused, failed or cannot be reached."""


class HostVersionError(LipSyncError):
    """This ComfyUI lacks a part that the pack builds on."""

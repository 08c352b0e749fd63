"""A weight file as data: where it comes from, what it is worth, where it goes."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Literal

Commercial = Literal["yes", "unclear", "no"]

_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Source:
    """A file of a Hugging Face repository. revision: a commit, or a branch whose file is told by its hash."""

    repo: str
    path: str
    revision: str = "main"

    @property
    def url(self) -> str:
        """Where Hugging Face itself serves it."""
        return f"https://huggingface.co/{self.repo}/resolve/{self.revision}/{self.path}"


@dataclass(frozen=True)
class Use:
    """An input that takes the file. widget: empty where the file comes through a socket of another node. optional: the
    node works without it, and says so."""

    node: str
    widget: str = ""
    optional: bool = False


@dataclass(frozen=True)
class Alternative:
    """Another file that serves as well, as people have it already. size: bytes, 0 = unknown."""

    name: str
    note: str
    size: int = 0


@dataclass(frozen=True)
class WeightFile:
    """One file of a model hub.

    what: as people call it. repo, path, revision: where it is on Hugging Face (see `Source`). size: bytes. sha256: hex
    digest. licence: what its page says. commercial: whether that allows commercial use, in one word. folder: under
    ComfyUI's `models`; its first part is the name that ComfyUI and `extra_model_paths.yaml` know. uses: none while no
    node takes it. mirrors: the same bytes elsewhere. alternatives: other bytes that do.
    """

    what: str
    repo: str
    path: str
    size: int
    sha256: str
    licence: str
    folder: str
    commercial: Commercial = "unclear"
    revision: str = "main"
    uses: tuple[Use, ...] = ()
    mirrors: tuple[Source, ...] = ()
    alternatives: tuple[Alternative, ...] = ()

    def __post_init__(self) -> None:
        if self.size <= 0:
            raise ValueError(f"size must be positive, got {self.size = }")
        if not _SHA256.fullmatch(self.sha256):
            raise ValueError(f"sha256 must be 64 hex digits, got {self.sha256 = }")

    @property
    def advice(self) -> str:
        """What to do to get it."""
        return f"Put {self.path} ({shown_size(self.size)}) of {self.repo} on Hugging Face into models/{self.folder}."

    @property
    def sources(self) -> tuple[Source, ...]:
        """Where the same bytes are, best first."""
        return (Source(self.repo, self.path, self.revision), *self.mirrors)

    @property
    def name(self) -> str:
        """The file's own name."""
        return self.path.rsplit("/", 1)[-1]

    @property
    def category(self) -> str:
        """ComfyUI's name for the folder: "diffusion_models"."""
        return self.folder.split("/")[0]

    @property
    def place(self) -> str:
        """The file inside its category, as loader nodes list it on Linux: "musetalkV15/unet.pth"."""
        return "/".join([*self.folder.split("/")[1:], self.name])


def shown_size(size: int) -> str:
    """Bytes as people read them: "3.40 GB", "335 MB"."""
    return f"{size / 1e9:.2f} GB" if size >= 1e9 else f"{size / 1e6:.0f} MB"


def beside(weights: WeightFile, what: str, name: str, size: int, sha256: str, use: Use) -> WeightFile:
    """A small file of the same repository and revision that goes into the same folder."""
    return replace(weights, what=what, path=name, size=size, sha256=sha256, uses=(use,), mirrors=(), alternatives=())

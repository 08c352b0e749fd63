"""Where the fonts of a system are, and in which order they are tried for a character that is missing."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path

from .font_file import SUFFIXES

# Parts of file names (lower case, without spaces and hyphens), the best first. What the systems bring: Windows (Segoe,
# Microsoft YaHei, Yu Gothic, Malgun), macOS (PingFang, Hiragino, Apple SD Gothic), Linux (Noto, Droid, WenQuanYi).
_CHINESE = ("notosanssc", "notosanscjk", "msyh", "pingfang", "hiraginosansgb", "wqy")
_JAPANESE = ("notosansjp", "notosanscjk", "yugoth", "hiraginokaku", "ヒラギノ角", "meiryo", "ipa")
_KOREAN = ("notosanskr", "notosanscjk", "malgun", "applesdgothic", "nanumgothic")
_OTHERS = ("notosans", "segoeui", "arialunicode", "arial", "dejavusans", "freesans", "leelawui", "nirmala")
_BY_LANGUAGE = {"zh": _CHINESE, "ja": _JAPANESE, "ko": _KOREAN}
_EMOJI = ("notocoloremoji", "seguiemj", "applecoloremoji", "emoji")
_LAST = ("italic", "oblique", "mono", "serif", "light", "thin", "condensed")


def system_folders() -> tuple[Path, ...]:
    """Folders of fonts; they need not exist."""
    home = Path.home()
    if sys.platform == "win32":
        local = Path(os.environ.get("LOCALAPPDATA", home / "AppData" / "Local"))
        return Path(os.environ.get("WINDIR", r"C:\Windows")) / "Fonts", local / "Microsoft" / "Windows" / "Fonts"
    if sys.platform == "darwin":
        return Path("/System/Library/Fonts"), Path("/Library/Fonts"), home / "Library" / "Fonts"
    data = Path(os.environ.get("XDG_DATA_HOME", home / ".local" / "share"))
    return Path("/usr/share/fonts"), Path("/usr/local/share/fonts"), data / "fonts", home / ".fonts"


def font_paths(folders: Iterable[Path]) -> list[Path]:
    """All font files below `folders`, folder by folder; what cannot be read is passed over."""
    found: list[Path] = []
    for folder in folders:
        for place, _, names in os.walk(folder):
            found += sorted(Path(place) / name for name in names if name.lower().endswith(SUFFIXES))
    return found


def best_first(paths: Iterable[Path], language: str) -> list[Path]:
    """For words in `language` (ISO 639-1 or ""): bold ones of known families first, slanted and narrow ones last."""
    known = tuple(dict.fromkeys((*_BY_LANGUAGE.get(language, ()), *_CHINESE, *_JAPANESE, *_KOREAN, *_OTHERS)))

    def rank(path: Path) -> tuple[bool, int, bool]:
        name = _plain(path)
        return any(word in name for word in _LAST), _first(name, known), not ("bold" in name or name.endswith("bd"))

    return sorted(paths, key=rank)


def emoji_first(paths: Iterable[Path]) -> list[Path]:
    """Only those whose name says that they hold emoji."""
    emoji = [path for path in paths if _first(_plain(path), _EMOJI) < len(_EMOJI)]
    return sorted(emoji, key=lambda path: _first(_plain(path), _EMOJI))


def _plain(path: Path) -> str:
    return path.stem.lower().replace(" ", "").replace("-", "").replace("_", "")


def _first(name: str, parts: tuple[str, ...]) -> int:
    return next((index for index, part in enumerate(parts) if part in name), len(parts))

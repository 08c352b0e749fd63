"""What the engine selector says of engines, of services on the internet, and of wishes that no engine fulfils."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

PRAISE: Final = MappingProxyType(
    {
        "latentsync-1.6": "follows the sound most closely, and paints the face at 512 px",
        "latentsync-1.5": "follows the sound most closely, and paints the face at 256 px",
        "musetalk": "looks natural at 256 px and does a 57th of LatentSync's work",
        "musetalk-1.0": "the older MuseTalk, at 256 px, with a 57th of LatentSync's work",
        "wav2lip": "the smallest network; it paints the face at 96 px, which looks soft",
        "draft": "moves the mouth by loudness; it checks timing, not looks",
    }
)
"""By engine, what speaks for it."""


@dataclass(frozen=True)
class Service:
    """A service that only another node can ask. wishes: what it can do. dollars: for a minute; 0 where a plan tells."""

    node: str
    wishes: tuple[str, ...]
    dollars: float = 0.0


_STILL: Final = "a still picture that moves"
_EMOTION: Final = "another emotion"

# Dollars: what ComfyUI 0.30 shows on its nodes, 0.19019 and 0.0715 a second.
SERVICES: Final = MappingProxyType(
    {
        "D-ID": Service("D-ID Talk", (_STILL, _EMOTION)),
        "sync.so": Service("ComfyUI's sync.so Lip Sync", ("new speech in a video",), 11.41),
        "HeyGen": Service("ComfyUI's HeyGen Talking Photo", (_STILL,), 4.29),
    }
)

_CLIP_FIRST: Final = "lip-sync the clip that they make with the engine chosen here"
_HINTS: Final = MappingProxyType(
    {
        _STILL: "No engine here moves more than the mouth. For a head that moves, make a clip of the picture first, as "
        "the workflows wan_s2v_musetalk (whose model hears the speech) and ltx_musetalk do, or with "
        f"WanInfiniteTalkToVideo or WanHuMoImageToVideo, and {_CLIP_FIRST}.",
        _EMOTION: "No engine here changes an expression beyond the mouth. Say the emotion in the prompt of "
        f"WanHuMoImageToVideo or WanSoundImageToVideo (workflow wan_s2v_musetalk), and {_CLIP_FIRST}.",
        "a 3D head": "Nothing in this pack or in ComfyUI's core makes a 3D head speak; Gaussian heads are trained for "
        "one person each, under licences for research. Render the head as a video and ask for new speech in that.",
    }
)


def hints(wish: str, budget: float) -> tuple[str, ...]:
    """What to do about a wish that no engine fulfils, and what the budget (dollars a minute) could buy."""
    bought = [name for name in SERVICES if not _against(SERVICES[name], wish, budget)]
    paid = (f"For money, and by its own node only: {SERVICES[name].node}{_price(name)}." for name in bought)
    return (*((_HINTS[wish],) if wish in _HINTS else ()), *paid)


def service_against(wish: str, budget: float) -> dict[str, str]:
    """Service -> why it is not taken."""
    loaded = "it is no engine that can be loaded; see above"
    return {name: _against(service, wish, budget) or loaded for name, service in SERVICES.items()}


def _against(service: Service, wish: str, budget: float) -> str:
    if wish not in service.wishes:
        return "it animates a still picture and edits no video" if _STILL in service.wishes else "it edits videos only"
    if not budget:
        return "it costs money, and the budget is 0"
    if service.dollars > budget:
        return f"a minute costs about {service.dollars:.2f} dollars, above the budget of {budget:.2f}"
    return ""


def _price(name: str) -> str:
    dollars = SERVICES[name].dollars
    return f", about {dollars:.2f} dollars a minute" if dollars else ", priced by your plan there"

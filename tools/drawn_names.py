"""What the tools that draw pictures are asked for."""

from __future__ import annotations

import argparse
from collections.abc import Sequence


def drawn_names(names: Sequence[str], kind: str, about: str | None) -> list[str]:
    """Those named on the command line, all of `names` when none is. Ends the program when one is no `kind`."""
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"any of: {', '.join(names)}")
    wanted: list[str] = parser.parse_args().names or list(names)
    unknown = sorted(set(wanted) - set(names))
    if unknown:
        parser.error(f"there is no {kind} {', '.join(unknown)}")
    return wanted

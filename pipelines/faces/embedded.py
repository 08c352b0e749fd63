"""The weights that come with the pack (see weights/README.md)."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from torch import nn

from ..networks.checkpoint import read_checkpoint
from ..networks.residency import Resident

WEIGHTS = Path(__file__).parent / "weights"

Network = TypeVar("Network", bound=nn.Module)


def with_weights(network: Network, name: str, kind: str) -> Resident[Network]:
    """`network`, in full precision, with the weights in the file `name`; raises WeightsError if that is damaged."""
    path = WEIGHTS / name
    state = read_checkpoint(path, kind, "The file comes with the pack: install the pack again.").state
    resident = Resident(network)
    resident.load({key: tensor.float() for key, tensor in state.items()}, source=str(path), kind=kind)
    return resident

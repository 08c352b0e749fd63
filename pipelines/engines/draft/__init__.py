"""The engine that comes with the pack."""

from .engine import DraftEngine

__all__ = ["DraftEngine"]

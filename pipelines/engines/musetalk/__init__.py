"""MuseTalk 1.5 and 1.0."""

"""Wav2Lip, for non-commercial use only: a whole face of 96 px, painted by sound in one pass."""

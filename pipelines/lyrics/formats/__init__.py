"""Reads and writes the files that hold word and line times: LRC, SRT, WebVTT, ASS, JSON, Audacity labels."""

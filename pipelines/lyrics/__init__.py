"""Words and lines in time: recognised, aligned, read and written, laid over the picture."""

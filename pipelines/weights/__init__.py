"""Which weight files there are, and what a file on disk really is."""

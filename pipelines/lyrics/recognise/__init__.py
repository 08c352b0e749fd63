"""Speech and singing to words with their times."""

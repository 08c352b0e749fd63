"""When each word of known lyrics is sung: what was recognised, and what is placed between it."""

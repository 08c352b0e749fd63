"""What the nodes do: one file per pipeline, and the folders it is made of."""

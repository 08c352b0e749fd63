"""Lines of text over pictures: how they look, when they are shown, and what is laid over each frame."""

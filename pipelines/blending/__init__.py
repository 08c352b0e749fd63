"""Lays the painted face back over the picture: scaling, masks, paste."""

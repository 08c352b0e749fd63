"""LatentSync 1.5 and 1.6: the lower face of a whole block of frames, made of noise by diffusion."""

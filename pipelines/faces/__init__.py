"""Who is seen where: faces and landmarks, shots, the speaker through the clip, and where to crop."""

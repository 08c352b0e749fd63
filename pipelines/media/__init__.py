"""Reading and writing video and sound; the only user of PyAV."""

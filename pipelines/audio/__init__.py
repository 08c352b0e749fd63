"""What an engine hears: features of the sound, looked up by time."""

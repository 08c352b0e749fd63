"""The values that cross folders, times, threads, and the one exception root."""

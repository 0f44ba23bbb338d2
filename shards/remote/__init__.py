"""Data sets from elsewhere: read by URL as they come, pushed and pulled whole."""

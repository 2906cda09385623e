"""Versions of a feed: brought in, kept, judged, taken into use, watched."""

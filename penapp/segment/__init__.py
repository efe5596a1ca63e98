"""Contact to strokes to words."""

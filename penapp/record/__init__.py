"""Sessions: what a pen sent and what was said about it, in one append-only file that survives a crash."""

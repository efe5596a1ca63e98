"""Builds the frozen lexicon from named public sources."""

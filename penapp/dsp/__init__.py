"""Samples to network features: resample, orient, integrate, scale. Training imports exactly this."""

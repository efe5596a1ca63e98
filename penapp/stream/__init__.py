"""Bytes of the link to SampleBlocks in SI units."""

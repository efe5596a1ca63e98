"""penapp: an ordinary sensor pen on ordinary paper becomes text, live."""

__version__ = "0.1.0"

"""The window: the only home of Qt besides `penapp.app`."""

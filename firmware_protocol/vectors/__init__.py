"""Golden byte vectors of the wire protocol, shared with every other implementation."""

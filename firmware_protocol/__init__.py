"""What the pen says on the wire: bytes to messages and back. Owns no port and no thread."""

"""Small studies that can be run again: each says what it shows and on what."""

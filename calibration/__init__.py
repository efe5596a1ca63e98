"""What we know of a pen: biases, scales, axes. Arrays in, arrays out."""

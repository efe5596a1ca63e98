"""Training objectives, one small file per term; tensors in, tensors out, no corpus and no loop."""

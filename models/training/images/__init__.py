"""Pictures of handwritten words and the network that reads them: a branch for training alone."""

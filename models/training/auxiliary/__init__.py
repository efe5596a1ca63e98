"""The branch that helps training and is dropped at inference: images or texts of the words beside the pen."""

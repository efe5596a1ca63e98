"""The encoders of the field and ours behind one contract: features in, log-probabilities and taps out."""

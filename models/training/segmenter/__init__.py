"""Fitting the segmenter's judge to answered questions."""

"""Experiments that answer one question each, by one command."""

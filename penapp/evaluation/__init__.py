"""Error rates through the live pipeline: corpora in, a table of figures out."""

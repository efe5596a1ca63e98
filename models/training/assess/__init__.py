"""How the field judges a recogniser: prediction files, error rates, intervals, published tables, a report."""

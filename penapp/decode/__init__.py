"""Network output to text: greedy, lexicon beam search, tentative and committed readings."""

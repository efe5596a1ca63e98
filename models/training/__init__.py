"""The offline trainer: corpus, network, loop, evaluation, export."""

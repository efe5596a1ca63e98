"""`python -m models.training.encoders`: parameters, cost and look-ahead of every encoder."""

from __future__ import annotations

import click
import torch

from models.training.encoders.macs import encoder_table


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--features", type=click.IntRange(min=1), default=13, show_default=True, help="input channels")
@click.option("--classes", type=click.IntRange(min=2), default=60, show_default=True, help="with the blank")
def main(features: int, classes: int) -> None:
    """Compare the encoders as inference runs them; the defaults are the sizes of the OnHW words."""
    torch.set_num_threads(1)
    print(encoder_table(features, classes))


if __name__ == "__main__":
    main()

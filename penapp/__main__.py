"""`penapp` and `python -m penapp`."""

from __future__ import annotations

import sys


def main() -> None:
    from penapp.cli.run_cli import run_cli

    sys.exit(run_cli(sys.argv[1:]))


if __name__ == "__main__":
    main()

"""Link faults at length; prints the summary and the table of docs/link-faults.md.

python tests/benchmarks/soak_faults.py [FAULTS [PENS [SEED]]]
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.device.fault_campaign import Campaign
from tests.device.fault_report import summary, table


def main(faults: int, pens: int, seed: int) -> int:
    """Exit code 1 when anything was not as it must be."""
    began_s = time.monotonic()
    done = Campaign(faults, pens, seed).run()
    print(f"{summary(done)}; {time.monotonic() - began_s:.0f} s\n\n{table(done)}")
    for line in done.wrong:
        print(line)
    return int(bool(done.wrong))


if __name__ == "__main__":
    numbers = [int(argument) for argument in sys.argv[1:]]
    raise SystemExit(main(*(numbers + [1000, 4, 4][len(numbers) :])))

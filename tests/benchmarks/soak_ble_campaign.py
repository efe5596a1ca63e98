"""Link faults over Bluetooth at length; prints the summary and the table of docs/link-faults.md.

python tests/benchmarks/soak_ble_campaign.py [FAULTS [PENS [SEED]]]
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.device.ble_campaign import AirThread, Refusals, ble_campaign
from tests.device.fault_report import summary, table


def main(faults: int, pens: int, seed: int) -> int:
    """Exit code 1 when anything was not as it must be."""
    began_s = time.monotonic()
    with AirThread() as air:
        done = ble_campaign(air, faults, pens, seed).run()
        refusals = Refusals(air, max(2, faults // 20))
        refusals.run()
    print(f"{summary(done)}; {time.monotonic() - began_s:.0f} s\n\n{table(done)}\n")
    for kind, times in refusals.done.items():
        took_s = f"{min(refusals.seconds[kind]):.1f}-{max(refusals.seconds[kind]):.1f} s"
        print(f"{kind}: {times} times refused, in mid-session after {took_s}")
    print(f"memory MB after each tenth: {', '.join(f'{mb:.1f}' for mb in done.rss_mb)}")
    wrong = done.wrong + refusals.wrong
    for line in wrong:
        print(line)
    return int(bool(wrong))


if __name__ == "__main__":
    numbers = [int(argument) for argument in sys.argv[1:]]
    raise SystemExit(main(*(numbers + [400, 3, 4][len(numbers) :])))

"""Link faults over Bluetooth at length; prints the summary and the table of docs/link-faults.md.

python tests/benchmarks/soak_ble_campaign.py [FAULTS [PENS [SEED]]]
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.device.ble_campaign import REFUSALS, AirThread, Refusals, ble_campaign
from tests.device.fault_report import summary, table


def main(faults: int, pens: int, seed: int) -> int:
    """Exit code 1 when anything was not as it must be."""
    began_s = time.monotonic()
    with AirThread() as air:
        refusals = [Refusals(air, kind, max(1, faults // 30)) for kind in REFUSALS]
        for refusal in refusals:
            refusal.start()
        done = ble_campaign(air, faults, pens, seed).run()
        for refusal in refusals:
            refusal.join()
    print(f"{summary(done)}; {time.monotonic() - began_s:.0f} s\n\n{table(done)}\n")
    for refusal in refusals:
        took_s = f"{min(refusal.seconds):.1f}-{max(refusal.seconds):.1f} s"
        print(f"{refusal.kind}: {refusal.done} times refused, in mid-session after {took_s}")
    print(f"memory MB after each tenth: {', '.join(f'{mb:.1f}' for mb in done.rss_mb)}")
    wrong = done.wrong + [line for refusal in refusals for line in refusal.wrong]
    for line in wrong:
        print(line)
    return int(bool(wrong))


if __name__ == "__main__":
    numbers = [int(argument) for argument in sys.argv[1:]]
    raise SystemExit(main(*(numbers + [600, 4, 4][len(numbers) :])))

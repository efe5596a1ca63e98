"""Damaged bytes through the C decoder and command parser under the sanitizers.

300,000 bytes in each of three campaigns, 10 million with PENAPP_SOAK=1.
"""

from __future__ import annotations

import os
import re
import subprocess

import pytest

MUTATED = 10_000_000 if os.environ.get("PENAPP_SOAK") == "1" else 300_000


@pytest.mark.parametrize("seed", [1])
def test_no_damage_is_accepted_and_none_breaks_the_pen(pen_fuzz, seed):
    done = subprocess.run(
        [str(pen_fuzz), str(MUTATED), str(seed)], capture_output=True, text=True, check=False, timeout=600
    )
    print(done.stdout.strip())
    assert done.returncode == 0, done.stdout + done.stderr
    numbers = [int(n) for n in re.findall(r"\d+", done.stdout)]
    assert min(numbers[:3]) >= MUTATED
    refused, undamaged, false_accepts, wrong = numbers[3:]
    assert refused > 30 * undamaged, "nearly every mutation must have reached a check"
    assert (false_accepts, wrong) == (0, 0)

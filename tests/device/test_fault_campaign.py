"""Every kind of fault in random order under running recognition: 14 here, 1,000 with PENAPP_SOAK=1."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from firmware_protocol.fault_plan import FaultKind
from tests.device.fault_campaign import Campaign
from tests.device.fault_report import summary

SOAK = os.environ.get("PENAPP_SOAK") == "1"
FAULTS, PENS = (1000, 4) if SOAK else (14, 4)
RECOVERY_S = 2.0
GROWTH_MB = 4.0


def open_files():
    folder = Path("/proc/self/fd")
    return len(list(folder.iterdir())) if folder.is_dir() else 0


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="no pseudo-terminals here")
def test_faults_in_random_order_cost_only_what_they_must(report):
    """Exact gaps, whole words read as before, every pen back in time, nothing left over."""
    files = open_files()
    done = Campaign(FAULTS, PENS, seed=4).run()
    report(summary(done))
    assert done.wrong == []
    assert len(done.outcomes) == FAULTS
    assert {o.fault.kind for o in done.outcomes} == set(FaultKind)
    assert max(done.recoveries_s) <= RECOVERY_S
    assert [t.name for t in threading.enumerate() if t.name.startswith(("penapp", "asyncio"))] == []
    assert open_files() <= files
    if SOAK:
        assert done.rss_mb[-1] - done.rss_mb[1] < GROWTH_MB

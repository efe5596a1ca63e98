"""Faults in random order under running recognition over Bluetooth: reduced here, at length with PENAPP_SOAK=1."""

from __future__ import annotations

import os
import threading
import time

import pytest

pytest.importorskip("bumble", reason="the simulated radio is Bumble (extra `dev`)")

from firmware_protocol.fault_plan import FaultKind
from tests.device.ble_campaign import REFUSALS, AirThread, Refusals, ble_campaign
from tests.device.fault_report import summary

SOAK = os.environ.get("PENAPP_SOAK") == "1"
FAULTS, PENS, TIMES = (600, 4, 20) if SOAK else (14, 4, 1)
RECOVERY_S = 2.0
GROWTH_MB = 4.0


def test_faults_of_bluetooth_pens_cost_only_what_they_must(report):
    """Exact gaps, whole words read as before, every pen back in time, truthful refusals, nothing left over."""
    began_s = time.monotonic()
    with AirThread() as air:
        refusals = [Refusals(air, kind, TIMES) for kind in REFUSALS]
        for refusal in refusals:
            refusal.start()
        done = ble_campaign(air, FAULTS, PENS, seed=4).run()
        for refusal in refusals:
            refusal.join()
    report(f"{summary(done)}; {sum(r.done for r in refusals)} refusals; {time.monotonic() - began_s:.0f} s")
    assert done.wrong + [line for refusal in refusals for line in refusal.wrong] == []
    assert [refusal.done for refusal in refusals] == [2 * TIMES, 2 * TIMES]
    assert len(done.outcomes) == FAULTS
    assert {o.fault.kind for o in done.outcomes} == set(FaultKind)
    assert max(done.recoveries_s) <= RECOVERY_S
    assert [t.name for t in threading.enumerate() if t.name.startswith(("penapp", "asyncio"))] == []
    if SOAK:
        assert done.rss_mb[-1] - done.rss_mb[1] < GROWTH_MB

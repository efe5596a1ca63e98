"""Faults in random order under running recognition over Bluetooth: 8 here, 400 with PENAPP_SOAK=1."""

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
FEW = (
    FaultKind.UNPLUG,
    FaultKind.ADAPTER_OFF,
    FaultKind.REBOOT,
    FaultKind.REFUSE,
    FaultKind.SLOW,
    FaultKind.DAMAGE,
    FaultKind.DISORDER,
    FaultKind.HOST_STALL,
)
KINDS = tuple(FaultKind) if SOAK else FEW
FAULTS, PENS, TIMES = (400, 3, 40) if SOAK else (8, 4, 1)
RECOVERY_S = 2.0
GROWTH_MB = 4.0


def test_faults_of_bluetooth_pens_cost_only_what_they_must(report):
    """Exact gaps, whole words read as before, pens back in time, truthful refusals, nothing left over."""
    began_s = time.monotonic()
    with AirThread() as air:
        refusals = Refusals(air, TIMES)
        refusals.start()
        done = ble_campaign(air, FAULTS, PENS, 4, KINDS).run()
        refusals.join()
    report(f"{summary(done)}; {refusals.done.total()} refusals; {time.monotonic() - began_s:.0f} s")
    assert done.wrong + refusals.wrong == []
    assert refusals.done == dict.fromkeys(REFUSALS, TIMES)
    assert len(done.outcomes) == FAULTS
    assert {o.fault.kind for o in done.outcomes} == set(KINDS)
    assert max(done.recoveries_s) <= RECOVERY_S
    assert [t.name for t in threading.enumerate() if t.name.startswith(("penapp", "asyncio"))] == []
    if SOAK:
        assert done.rss_mb[-1] - done.rss_mb[1] < GROWTH_MB

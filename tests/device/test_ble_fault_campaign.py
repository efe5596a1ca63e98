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
FAULTS, PENS, TIMES, SEED = (400, 3, 20, 4) if SOAK else (8, 4, 1, 95)
RECOVERY_S = 2.0
GROWTH_MB = 20.0
"""Pens, chips and host stacks are in this process too; see docs/link-faults.md."""


def left_over():
    return [t.name for t in threading.enumerate() if t.name.startswith(("penapp", "asyncio"))]


def test_faults_of_bluetooth_pens_cost_only_what_they_must(report):
    """Exact gaps, whole words read as before, every pen back in time, nothing left over."""
    began_s = time.monotonic()
    with AirThread() as air:
        done = ble_campaign(air, FAULTS, PENS, SEED, KINDS).run()
    report(f"{summary(done)}; {time.monotonic() - began_s:.0f} s")
    assert done.wrong == []
    assert len(done.outcomes) == FAULTS
    assert {o.fault.kind for o in done.outcomes} == set(KINDS)
    assert max(done.recoveries_s) <= RECOVERY_S
    assert left_over() == []
    if SOAK:
        assert done.rss_mb[-1] - done.rss_mb[1] < GROWTH_MB


def test_what_a_bluetooth_pen_refuses_is_said_and_the_pen_is_there_again_afterwards():
    """An MTU of 23 and denied access, at the first connect and in mid-session."""
    with AirThread() as air:
        refusals = Refusals(air, TIMES)
        refusals.run()
    assert refusals.wrong == []
    assert refusals.done == dict.fromkeys(REFUSALS, TIMES)
    assert left_over() == []

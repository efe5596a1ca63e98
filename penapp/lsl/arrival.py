"""The pen's clock laid under its arrivals: no frame arrives before its samples were taken."""

from __future__ import annotations

RISE = 100e-6
"""How fast the line may rise again (s per s): more than any crystal drifts."""


class ArrivalClock:
    """push(device time, arrival) -> host minus device time (s), the least that was seen, slowly forgotten."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Another boot: nothing is known of its clock."""
        self._offset_s: float | None = None
        self._at_s = 0.0

    def push(self, device_s: float, arrival_s: float) -> float:
        seen_s = arrival_s - device_s
        if self._offset_s is None:
            self._offset_s = seen_s
        else:
            risen_s = self._offset_s + RISE * max(0.0, device_s - self._at_s)
            self._offset_s = min(seen_s, risen_s)
        self._at_s = device_s
        return self._offset_s

    def at(self, device_s: float) -> float:
        """Host time of a moment of the pen (s)."""
        return device_s + (self._offset_s or 0.0)

"""Where the strips lie inside their widget. No Qt."""

from __future__ import annotations

from dataclasses import dataclass

from penapp.ui.strip_state import StripGroup

HEADER_HEIGHT = 19
AXIS_HEIGHT = 20
LABEL_WIDTH = 34
VALUE_WIDTH = 66


@dataclass(frozen=True, slots=True)
class Band:
    """A horizontal stretch of the widget, in pixels."""

    top: float
    height: float

    @property
    def bottom(self) -> float:
        return self.top + self.height

    @property
    def middle(self) -> float:
        return self.top + self.height / 2


@dataclass(frozen=True, slots=True)
class StripLayout:
    """Pixels. `headers` are in the order of the groups, `rows` in the order of the channels."""

    left: int
    top: int
    width: int
    height: int
    headers: tuple[Band, ...]
    rows: tuple[Band, ...]
    value_width: int = VALUE_WIDTH
    axis_height: int = AXIS_HEIGHT


def strip_layout(groups: tuple[StripGroup, ...], width: int, height: int) -> StripLayout:
    """Every channel the same height, a title line above every group, the time axis below."""
    channels = sum(len(group.columns) for group in groups)
    free = height - AXIS_HEIGHT - HEADER_HEIGHT * len(groups)
    row_height = max(free / channels, 4.0)
    headers: list[Band] = []
    rows: dict[int, Band] = {}
    y = 0.0
    for group in groups:
        headers.append(Band(y, HEADER_HEIGHT))
        y += HEADER_HEIGHT
        for column in group.columns:
            rows[column] = Band(y, row_height)
            y += row_height
    return StripLayout(
        left=LABEL_WIDTH,
        top=0,
        width=max(width - LABEL_WIDTH - VALUE_WIDTH, 2),
        height=int(y),
        headers=tuple(headers),
        rows=tuple(rows[column] for column in sorted(rows)),
    )

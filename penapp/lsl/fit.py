"""Does an LSL stream fit a pen? Its columns to our channels, or one message: found and expected."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from firmware_protocol.channels import ChannelSpec, Descriptor, Quantity, StreamSpec
from penapp.lsl.channels import FULL_SCALE, LABELS, OUR_UNIT, Place, factor_of, place_of
from penapp.lsl.library import LslStreamError

LOWEST_HZ, HIGHEST_HZ = 50.0, 400.0
EXPECTED = (
    "Expected a numeric stream of 50 to 400 Hz whose channels have labels "
    f"({', '.join(LABELS[:3])}, ..., {LABELS[-1]}) and units (m/s2 or g, rad/s or deg/s, uT, N): "
    "at least one accelerometer with x, y, z, and the force."
)


@dataclass(frozen=True, slots=True)
class LslChannel:
    """A channel as the stream describes it. scale, full_scale: in its unit, 0 where it does not say.

    absent: the stream itself says that this channel is not measured
    """

    label: str
    unit: str = ""
    scale: float = 0.0
    full_scale: float = 0.0
    absent: bool = False


@dataclass(frozen=True, slots=True)
class LslFacts:
    """What an LSL stream says of itself. rate_hz: 0 = irregular; uid: new at each start of its outlet."""

    name: str
    rate_hz: float
    numeric: bool
    channels: tuple[LslChannel, ...]
    source_id: str = ""
    uid: str = ""

    def __str__(self) -> str:
        rate = f"{self.rate_hz:g} Hz" if self.rate_hz else "no regular rate"
        labels = [channel.label or "?" for channel in self.channels]
        shown = ", ".join(labels[:16]) + (", ..." if len(labels) > 16 else "")
        return f"{self.name!r} ({rate}, {len(labels)} channel(s): {shown})"


@dataclass(frozen=True, slots=True)
class LslFit:
    """columns: (k,) of the stream, one for each channel of the descriptor; factors: (k,) to our units."""

    descriptor: Descriptor
    columns: NDArray[np.intp]
    factors: NDArray[np.float64]


def fit(facts: LslFacts) -> LslFit:
    """The pen that this stream is; what it lacks is not in the descriptor. Raises `LslStreamError`."""
    if not facts.numeric:
        raise _misfit(facts, "its values are text")
    if not LOWEST_HZ <= facts.rate_hz <= HIGHEST_HZ:
        raise _misfit(facts, "its rate does not fit")
    places = _places(facts)
    _check_enough(facts, set(places))
    columns = sorted(places.values())
    by_column = {column: place for place, column in places.items()}
    specs, factors = [], []
    for column in columns:
        spec, factor = _spec(facts, facts.channels[column], by_column[column])
        specs.append(spec)
        factors.append(factor)
    rate_hz = round(facts.rate_hz, 3)
    descriptor = Descriptor(
        device_id=blake2b(f"{facts.name}\0{facts.source_id}".encode(), digest_size=8).digest(),
        firmware="0.0.0",
        hardware_id=0,
        boot_id=crc32(facts.uid.encode()),
        clock_hz=1_000_000,
        streams=(StreamSpec(0, rate_hz, rate_hz, rate_hz, tuple(specs)),),
        name=f"LSL {facts.name}",
    )
    return LslFit(descriptor, np.array(columns, dtype=np.intp), np.array(factors))


def _places(facts: LslFacts) -> dict[Place, int]:
    """Our channels that the stream has -> its column."""
    places: dict[Place, int] = {}
    for column, channel in enumerate(facts.channels):
        place = place_of(channel.label)
        if place is None or channel.absent:
            continue
        if place in places:
            first = facts.channels[places[place]].label
            raise _misfit(facts, f"its channels {first!r} and {channel.label!r} mean the same")
        places[place] = column
    return places


def _check_enough(facts: LslFacts, places: set[Place]) -> None:
    triads = [all(Place(q, axis) in places for axis in range(3)) for q in (Quantity.ACC1, Quantity.ACC2)]
    missing = [] if any(triads) else ["an accelerometer with x, y, z"]
    missing += [] if Place(Quantity.FORCE, 0) in places else ["the force"]
    if missing:
        raise _misfit(facts, f"it lacks {' and '.join(missing)}")


def _spec(facts: LslFacts, channel: LslChannel, place: Place) -> tuple[ChannelSpec, float]:
    factor = factor_of(place.quantity, channel.unit)
    if factor is None:
        unit = repr(channel.unit) if channel.unit else "no unit"
        raise _misfit(facts, f"its channel {channel.label!r} has {unit}")
    scale, full = channel.scale * factor, channel.full_scale * factor
    if not (scale > 0.0 and 0.0 < full <= scale * 32768.5):
        full = full if full > 0.0 else FULL_SCALE[place.quantity]
        scale = full / 32768.0
    spec = ChannelSpec(place.quantity, place.axis, OUR_UNIT[place.quantity], scale, 0.0, full)
    return spec, factor


def _misfit(facts: LslFacts, why: str) -> LslStreamError:
    return LslStreamError(f"the LSL stream {facts} is no pen: {why}.", advice=EXPECTED)

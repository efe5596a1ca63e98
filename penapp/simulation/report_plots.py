"""Draws simulated beside measured figures. matplotlib is imported when a figure is drawn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from penapp.errors import PenappError
from penapp.simulation import imu_figures, measured, tablet_figures
from penapp.simulation.sanity import Check, Recording

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SIMULATED, ADULTS, OTHERS, CHILDREN = "#1f5fbf", "#c8501e", "#7a7a7a", "#d9a400"

_IMU_PEOPLE = (
    ("adults", "adults", ADULTS),
    ("posture_set_age_not_stated", "age not stated", OTHERS),
    ("children", "children", CHILDREN),
)
_TABLETS = (("drotar_dobes", "children, tablet", CHILDREN), ("svc2004", "adult signatures, tablet", ADULTS))


class DrawingNeedsMatplotlibError(PenappError):
    """The report was asked for where matplotlib is not installed."""


def draw(recordings: Sequence[Recording], checks: Sequence[Check], title: str) -> Figure:
    """All panels on one sheet: nine comparisons and the table of ranges."""
    figure = _sheet()
    figure.suptitle(title, fontsize=12)
    grid = figure.add_gridspec(3, 4, width_ratios=[1, 1, 1, 1.25])
    for k, panel in enumerate(_PANELS):
        panel(figure.add_subplot(grid[k // 3, k % 3]), recordings)
    _ranges(figure.add_subplot(grid[:, 3]), checks)
    return figure


def _sheet() -> Figure:
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise DrawingNeedsMatplotlibError(
            "the report draws with matplotlib, which is not installed",
            advice="Install penapp with the extra 'train', or matplotlib alone.",
        ) from error
    return Figure(figsize=(17.5, 10.5), layout="constrained", dpi=80)


def _acc_psd(axes: Axes, recordings: Sequence[Recording]) -> None:
    _psd(axes, "acc", "m²/s⁴/Hz", [imu_figures.dynamic_acceleration(r.session) for r in recordings])
    axes.set_title("acceleration (front), dynamic")


def _gyro_psd(axes: Axes, recordings: Sequence[Recording]) -> None:
    _psd(axes, "gyro", "rad²/s²/Hz", [imu_figures.gyro_without_offset(r.session) for r in recordings])
    axes.set_title("rotation rate")


def _psd(axes: Axes, sensor: str, unit: str, signals: Sequence[NDArray[np.float64]]) -> None:
    spectra = [imu_figures.spectrum(x) for x in signals]
    f, powers = spectra[0][0], np.array([p for _, p in spectra])
    low, mid, high = np.percentile(powers, [10, 50, 90], axis=0)
    axes.fill_between(f[1:], low[1:], high[1:], color=SIMULATED, alpha=0.18, lw=0)
    axes.plot(f[1:], mid[1:], color=SIMULATED, lw=2, label="simulated (10-50-90 %)")
    for people, name, colour in _IMU_PEOPLE:
        mf, mp = measured.psd(people, sensor)
        axes.plot(mf[1:], mp[1:], color=colour, lw=1.4, ls="--", label=f"measured: {name}")
    axes.set(xscale="log", yscale="log", xlabel="Hz", ylabel=unit)
    axes.set_xticks([1.6, 3.0, 6.0, 12.0, 25.0], ["1.6", "3", "6", "12", "25"])
    axes.minorticks_off()
    axes.legend(fontsize=7)


def _magnitudes(axes: Axes, recordings: Sequence[Recording]) -> None:
    """Quantiles of |dynamic acceleration| and |rotation rate| over a recording."""
    names = ("p50", "p95", "p99", "p99p9")
    for offset, entry, of in (
        (0, "acc_dynamic_magnitude", imu_figures.dynamic_acceleration),
        (5, "gyro_magnitude_offset_removed", imu_figures.gyro_without_offset),
    ):
        rows = np.array(
            [np.percentile(np.linalg.norm(of(r.session), axis=1), [50, 95, 99, 99.9]) for r in recordings]
        )
        _whiskers(axes, offset + np.arange(4) - 0.3, np.percentile(rows, [10, 50, 90], axis=0).T, SIMULATED)
        for k, (people, _, colour) in enumerate(_IMU_PEOPLE):
            spreads = [measured.spread("imu", people, entry, name) for name in names]
            _whiskers(axes, offset + np.arange(4) - 0.1 + 0.2 * k, spreads, colour)
    axes.set_yscale("log")
    axes.set_xticks([*range(4), *range(5, 9)], ["50", "95", "99", "99.9"] * 2)
    axes.set(
        xlabel="% of the samples:  acceleration m/s²   |   rotation rad/s",
        title="how strong, how often (colours as left)",
    )


def _rise(axes: Axes, recordings: Sequence[Recording]) -> None:
    _profile(axes, recordings, rising=True)
    axes.set(title="force after touchdown", xlabel="ms", ylabel="of the stroke's median")


def _fall(axes: Axes, recordings: Sequence[Recording]) -> None:
    _profile(axes, recordings, rising=False)
    axes.set(title="force before lift-off", xlabel="ms", ylabel="of the stroke's median")


def _profile(axes: Axes, recordings: Sequence[Recording], *, rising: bool) -> None:
    rows = [
        tablet_figures.profiles(r.session, r.writer.device.force_zero_n, rising=rising) for r in recordings
    ]
    people = np.array([p.mean(axis=0) for p in rows if len(p)])
    low, mid, high = np.percentile(people, [5, 50, 95], axis=0)
    ms = 1000.0 / recordings[0].session.rate_hz * np.arange(people.shape[1]) - (0.0 if rising else 150.0)
    axes.fill_between(ms, low, high, color=SIMULATED, alpha=0.18, lw=0)
    axes.plot(ms, mid, color=SIMULATED, lw=2, label="simulated (5-50-95 %)")
    for tablet, name, colour in _TABLETS:
        curve = measured.pressure_profile(tablet, rising=rising)
        axes.plot(curve.x, curve.middle, color=colour, lw=1.4, ls="--", label=name)
        for edge in (curve.low, curve.high):
            axes.plot(curve.x, edge, color=colour, lw=0.8, ls=":")
    axes.set_ylim(0.0, 1.8)
    axes.legend(fontsize=7)


def _contact_force(axes: Axes, recordings: Sequence[Recording]) -> None:
    levels = (1, 5, 25, 50, 75, 95, 99)
    rows = np.array(
        [
            np.percentile(
                tablet_figures.pressure(r.session, r.writer.device.force_zero_n)[r.session.down], levels
            )
            for r in recordings
        ]
    )
    entries = [("pressure", tablet, "quantiles_within_person") for tablet, _, _ in _TABLETS]
    _quantiles(axes, levels, rows, entries)
    axes.set(
        title="contact force",
        xlabel="% of a writer's samples",
        ylabel="of full scale (5.32 N)",
        ylim=(0, 1.4),
    )


def _pen_ups(axes: Axes, recordings: Sequence[Recording]) -> None:
    levels = (5, 25, 50, 75, 95)
    ups = [tablet_figures.inside_pen_ups_s(r.path) for r in recordings]
    rows = np.array([np.percentile(u, levels) for u in ups if len(u) >= 5])
    entries = [("pen_up", "drotar_dobes_word_air_move_s"), ("pen_up", "svc2004_pen_up_s")]
    _quantiles(axes, levels, rows, entries)
    axes.set(title="pen-ups inside words", xlabel="% of a writer's pen-ups", ylabel="s", ylim=(0.0, 1.0))


def _quantiles(
    axes: Axes, levels: Sequence[int], rows: NDArray[np.float64], entries: Sequence[tuple[str, ...]]
) -> None:
    x = np.arange(len(levels))
    axes.plot([], [], color=SIMULATED, label="simulated (10-50-90 % of writers)")
    _whiskers(axes, x - 0.2, np.percentile(rows, [10, 50, 90], axis=0).T, SIMULATED)
    for k, (entry, (_, name, colour)) in enumerate(zip(entries, _TABLETS, strict=True)):
        axes.plot([], [], color=colour, label=name)
        _whiskers(axes, x + 0.2 * k, [measured.spread(*entry, f"p{q:02d}") for q in levels], colour)
    axes.set_xticks(x, [str(q) for q in levels])
    axes.legend(fontsize=7)


def _pose(axes: Axes, recordings: Sequence[Recording]) -> None:
    """Mean pose of every virtual writer, and the measured medians with their 5-95 % crosses."""
    angles = [
        (np.rad2deg(np.unwrap(r.pose.azimuth)[r.path.down].mean()) % 360.0,
         np.rad2deg(r.pose.altitude[r.path.down].mean()))
        for r in recordings
    ]  # fmt: skip
    axes.plot(*np.array(angles).T, ".", color=SIMULATED, ms=5, label="virtual writers")
    for tablet, name, colour in _TABLETS:
        x = measured.spread("pose", tablet, "azimuth_mean_tail_right")
        y = measured.spread("pose", tablet, "altitude_mean")
        axes.plot([x[0], x[2]], [y[1], y[1]], color=colour, lw=2, label=f"{name}, tail right")
        axes.plot([x[1], x[1]], [y[0], y[2]], color=colour, lw=2)
    axes.set(
        title="how the pen is held",
        xlabel="azimuth, deg (90 = tail right)",
        ylabel="altitude, deg",
        ylim=(38, 70),
    )
    axes.legend(fontsize=7)


def _wander(axes: Axes, recordings: Sequence[Recording]) -> None:
    names = ("altitude_sd_within_stroke", "azimuth_sd_within_stroke",
             "altitude_sd_within_person", "azimuth_sd_within_person")  # fmt: skip
    rows = np.array([_pose_spread(r) for r in recordings])
    _whiskers(axes, np.arange(4) - 0.2, np.percentile(rows, [5, 50, 95], axis=0).T, SIMULATED)
    for k, (tablet, _, colour) in enumerate(_TABLETS):
        _whiskers(axes, np.arange(4) + 0.2 * k, [measured.spread("pose", tablet, n) for n in names], colour)
    labels = ["altitude\nin a stroke", "azimuth\nin a stroke", "altitude\noverall", "azimuth\noverall"]
    axes.set_xticks(range(4), labels)
    axes.set(title="how the pose moves", ylabel="standard deviation, deg", ylim=(0.0, None))


def _pose_spread(r: Recording) -> list[float]:
    row = tablet_figures.pose_figures(r.path, r.pose)
    overall = float(np.rad2deg(np.unwrap(r.pose.azimuth)[r.path.down]).std())
    within = [row["altitude_sd_within_stroke_deg"], row["azimuth_sd_within_stroke_deg"]]
    return [*within, row["altitude_sd_within_person_deg"], overall]


def _ranges(axes: Axes, checks: Sequence[Check]) -> None:
    """Every range as a grey bar from 0 to 1, the virtual writers as 10-50-90 % on that scale."""
    for k, c in enumerate(reversed(checks)):
        span = c.high - c.low
        axes.barh(k, 1.0, color="#dddddd", height=0.7)
        low, mid, high = ((v - c.low) / span for v in (c.q10, c.q50, c.q90))
        colour = SIMULATED if c.holds else ADULTS
        axes.plot(np.clip([low, high], -0.75, 1.75), [k, k], color=colour, lw=2)
        axes.plot(np.clip(mid, -0.75, 1.75), k, "o", color=colour, ms=5)
    axes.set_yticks(range(len(checks)), [c.name.replace("_", " ") for c in reversed(checks)], fontsize=7)
    axes.set_xticks([0, 1], ["lower", "upper"])
    axes.set(xlim=(-0.8, 1.8), ylim=(-0.7, len(checks) - 0.3))
    axes.set_title("measured range (grey), virtual writers 10-50-90 %", fontsize=9)


def _whiskers(axes: Axes, x: NDArray[np.floating], spreads: Any, colour: str) -> None:
    low, mid, high = np.asarray(spreads, dtype=np.float64).T
    axes.vlines(x, low, high, color=colour, lw=2)
    axes.plot(x, mid, "o", color=colour, ms=4)


_PANELS: tuple[Callable[[Any, Sequence[Recording]], None], ...] = (
    _acc_psd, _gyro_psd, _magnitudes, _rise, _fall, _contact_force, _pose, _wander, _pen_ups,
)  # fmt: skip

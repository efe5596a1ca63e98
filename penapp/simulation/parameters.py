"""Every number of the virtual pen, named, with its unit and the range it is drawn from.

Ranges marked "measured" follow the aggregate statistics of real pens and hands (tablet sets of 120
children and 40 adult signers; IMU pens of 9-35 writers); the others are the data sheets' or our judgement.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

GRAVITY = 9.81
"""m/s2"""

FORCE_FULL_SCALE_N = 5.32

_Rng = np.random.Generator


@dataclass(frozen=True, slots=True)
class Grip:
    """How one writer holds the pen, and how it moves in the hand.

    altitude_deg:    45..68   pen axis above the paper (measured 49-62)
    azimuth_deg:     0..360   where the tail points, clockwise from away-from-the-writer; 90 = right (measured
                              75-150 tail right, 270-340 tail left for about 14 % of the people)
    roll_deg:        -60..60  rotation about the pen's own axis; 0 = logo up
    altitude_per_mm, azimuth_per_mm, roll_per_mm:  deg per mm of finger movement (x, y); azimuth measured
                              (-1.2..0.6, -0.8..1.6), altitude (-0.2..0.55, -0.35..0.2); roll is our guess
    altitude_sd, azimuth_sd, roll_sd:  deg, fast wobble on paper not explained by the tip (measured 0.5-1.1,
                              0.8-2.5); it comes in bursts and rests with the hand
    drift_sd:        deg, slow wander of the pose over seconds (altitude; azimuth is twice that)
    drift_s:         0.4..1.2 s, its time constant (measured)
    """

    altitude_deg: float
    azimuth_deg: float
    roll_deg: float
    altitude_per_mm: tuple[float, float]
    azimuth_per_mm: tuple[float, float]
    roll_per_mm: tuple[float, float]
    altitude_sd: float
    azimuth_sd: float
    roll_sd: float
    drift_sd: float
    drift_s: float

    @staticmethod
    def draw(rng: _Rng, hand: str = "?") -> Grip:
        tail_left = rng.random() < {"R": 0.04, "L": 0.75}.get(hand, 0.14)
        azimuth = rng.normal(310.0, 24.0) if tail_left else rng.normal(112.0, 20.0)
        mirror = -1.0 if tail_left else 1.0
        return Grip(
            altitude_deg=_clip(rng.normal(55.3, 4.3), 45.0, 68.0),
            azimuth_deg=float(azimuth % 360.0),
            roll_deg=_clip(rng.normal(0.0, 20.0), -60.0, 60.0),
            altitude_per_mm=(rng.normal(0.25, 0.2), rng.normal(-0.14, 0.14)),
            azimuth_per_mm=(rng.normal(-0.26, 0.5), mirror * rng.normal(0.85, 0.35)),
            roll_per_mm=(rng.normal(0.3, 0.6), rng.normal(0.3, 0.6)),
            altitude_sd=rng.uniform(0.55, 1.1),
            azimuth_sd=rng.uniform(0.8, 2.2),
            roll_sd=rng.uniform(0.6, 2.0),
            drift_sd=rng.uniform(1.4, 3.8),
            drift_s=rng.uniform(0.4, 1.2),
        )


@dataclass(frozen=True, slots=True)
class Touch:
    """How one writer presses, lifts and hops.

    force_n:         0.5..4   median contact force (measured 0.15-0.8 of full scale)
    within_sd, between_sd: relative force change within and between strokes (measured 0.13-0.4, 0.12-0.37)
    wobble_s:        0.14..0.45 s, time constant of the force within a stroke (measured)
    rise_s, fall_s:  0.02..0.08 s to 63 % after touchdown (measured 50 % after 15-75 ms), 0.004..0.012 s fall
    lift_s:          0.06..0.22 s, shortest pen-up inside a word (measured 5 % 0.05-0.35, signers 0.03-0.12)
    air_speed:       0.9..2 x the paper speed (measured 0.8-1.9)
    hop_mm:          0.6..2.5, height of a short pen-up
    dip_rate_hz:     0..0.35, soft dips inside strokes (contact nearly lost)
    friction:        0..1, how much paper texture shakes the pen
    tap:             m/s2, peak of the touchdown transient
    tremor_mm:       0..0.02, 8-12 Hz tremor of the tip
    """

    force_n: float
    within_sd: float
    between_sd: float
    wobble_s: float
    rise_s: float
    fall_s: float
    lift_s: float
    air_speed: float
    hop_mm: float
    dip_rate_hz: float
    friction: float
    tap: float
    tremor_mm: float

    @staticmethod
    def draw(rng: _Rng) -> Touch:
        return Touch(
            force_n=_clip(float(rng.lognormal(np.log(1.9), 0.38)), 0.5, 4.0),
            within_sd=rng.uniform(0.13, 0.35),
            between_sd=rng.uniform(0.12, 0.33),
            wobble_s=rng.uniform(0.14, 0.45),
            rise_s=_clip(float(rng.lognormal(np.log(0.04), 0.35)), 0.015, 0.09),
            fall_s=rng.uniform(0.004, 0.012),
            lift_s=_clip(float(rng.lognormal(np.log(0.11), 0.3)), 0.05, 0.24),
            air_speed=rng.uniform(0.9, 2.0),
            hop_mm=rng.uniform(0.6, 2.5),
            dip_rate_hz=max(0.0, rng.normal(0.08, 0.12)),
            friction=rng.uniform(0.3, 1.0),
            tap=float(rng.lognormal(np.log(4.2), 0.5)),
            tremor_mm=rng.uniform(0.0, 0.012),
        )


@dataclass(frozen=True, slots=True)
class Device:
    """What one pen's sensors get wrong.

    site_mm:         distance of the front and the rear accelerometer from the tip along the axis, as the pen
                     describes it; `site_error_mm` is what the description does not know
    acc_bias:        m/s2 per axis, front and rear (6,); acc_gain relative (6,)
    misalign_deg:    small rotation of (front acc, rear acc, gyro, mag) against the pen (4, 3)
    gyro_bias:       rad/s (3,), gyro_gain relative (3,)
    field_ut:        magnitude of the local magnetic field, 25..65; dip_deg its inclination; hard_iron_ut (3,)
    acc_noise, gyro_noise, mag_noise, force_noise: white noise per sample at 100 Hz (m/s2, rad/s, uT, N)
    force_zero_n:    -0.02..0.12, leakage: what the sensor says in the air; force_drift_n: slow drift of it
    force_dead_n:    0..0.06, below it the sensor shows nothing
    force_gain:      0.8..1.25; force_lag_s 0..0.012
    clock_ppm:       -60..60
    """

    site_mm: tuple[float, float]
    site_error_mm: tuple[float, float]
    acc_bias: tuple[float, ...]
    acc_gain: tuple[float, ...]
    misalign_deg: tuple[tuple[float, float, float], ...]
    gyro_bias: tuple[float, ...]
    gyro_gain: tuple[float, ...]
    field_ut: float
    dip_deg: float
    hard_iron_ut: tuple[float, ...]
    acc_noise: float
    gyro_noise: float
    mag_noise: float
    force_noise: float
    force_zero_n: float
    force_drift_n: float
    force_dead_n: float
    force_gain: float
    force_lag_s: float
    clock_ppm: float

    @staticmethod
    def draw(rng: _Rng, site_mm: tuple[float, float] = (25.0, 115.0)) -> Device:
        return Device(
            site_mm=site_mm,
            site_error_mm=(rng.normal(0.0, 0.7), rng.normal(0.0, 0.7)),
            acc_bias=_many(rng, 0.15, 6),
            acc_gain=tuple(1.0 + v for v in _many(rng, 0.012, 6)),
            misalign_deg=tuple((v[0], v[1], v[2]) for v in (_many(rng, 0.8, 3) for _ in range(4))),
            gyro_bias=_many(rng, 0.012, 3),
            gyro_gain=tuple(1.0 + v for v in _many(rng, 0.01, 3)),
            field_ut=rng.uniform(25.0, 65.0),
            dip_deg=rng.uniform(40.0, 75.0),
            hard_iron_ut=_many(rng, 3.0, 3),
            acc_noise=rng.uniform(0.01, 0.04),
            gyro_noise=rng.uniform(0.001, 0.005),
            mag_noise=rng.uniform(0.6, 1.8),
            force_noise=rng.uniform(0.002, 0.012),
            force_zero_n=_clip(abs(rng.normal(0.0, 0.04)) - 0.02, -0.02, 0.12),
            force_drift_n=rng.uniform(0.0, 0.012),
            force_dead_n=rng.uniform(0.0, 0.05),
            force_gain=rng.uniform(0.8, 1.25),
            force_lag_s=rng.uniform(0.0, 0.01),
            clock_ppm=rng.uniform(-60.0, 60.0),
        )


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast and how large the ink is replayed, and how words follow each other.

    speed, size:     factors on the donor's own speed and size (1 = as recorded)
    slant:           shear of x by y, -0.3..0.3; turn_deg: line direction, -6..6 deg
    gap_s:           pause between two words (lower, upper), uniform
    gap_mm:          space between two words, 2..8
    """

    speed: float = 1.0
    size: float = 1.0
    slant: float = 0.0
    turn_deg: float = 0.0
    gap_s: tuple[float, float] = (1.0, 1.6)
    gap_mm: float = 4.0


def _clip(value: float, low: float, high: float) -> float:
    return float(min(max(value, low), high))


def _many(rng: _Rng, sd: float, n: int) -> tuple[float, ...]:
    return tuple(float(v) for v in rng.normal(0.0, sd, n))

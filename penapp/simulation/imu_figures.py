"""Figures of accelerometer, gyroscope and magnetometer, as measured inside real pens."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d
from scipy.signal import welch

from penapp.simulation.measured import SOURCE_RATE_HZ
from penapp.simulation.pen import SimulatedSession

HIGH_PASS_S = 0.25
"""Dynamic = minus a Gaussian of this standard deviation (about 0.5 Hz)."""

BANDS_HZ = ((1.0, 3.0), (3.0, 6.0), (6.0, 10.0), (10.0, 15.0), (15.0, 25.0))

_SHORT = 32
_LONG_S = 4.0


def imu_figures(session: SimulatedSession) -> dict[str, float]:
    """One number per sanity range of the IMU pens (front accelerometer)."""
    acc, gyro, mag = dynamic_acceleration(session), gyro_without_offset(session), session.values[:, 9:12]
    acc_share, gyro_share = band_power(acc), band_power(gyro)
    return {
        "acc_dynamic_rms_3axis_m_s2": _rms(acc),
        "gyro_rms_3axis_rad_s": _rms(gyro),
        "acc_dynamic_p99_m_s2": _p99(acc),
        "gyro_p99_rad_s": _p99(gyro),
        "acc_centroid_hz": _centroid(acc),
        "gyro_centroid_hz": _centroid(gyro),
        "acc_share_3_10Hz_of_1_25Hz": float(acc_share[1:3].sum() / acc_share.sum()),
        "acc_share_15_25Hz_of_1_25Hz": float(acc_share[4] / acc_share.sum()),
        "gyro_share_15_25Hz_of_1_25Hz": float(gyro_share[4] / gyro_share.sum()),
        "excess_kurtosis_acc": excess_kurtosis(acc),
        "excess_kurtosis_gyro": excess_kurtosis(gyro),
        "magnetometer_sd_of_magnitude_uT": float(np.linalg.norm(mag, axis=1).std()),
    }


def middle(session: SimulatedSession, columns: slice) -> NDArray[np.float64]:
    """(n, 3) at SOURCE_RATE_HZ: the middle half, averaged over 20 ms as a slower chip does."""
    n = len(session.t)
    values = session.values[n // 4 : n - n // 4, columns].astype(np.float64)
    factor = round(session.rate_hz / SOURCE_RATE_HZ)
    whole = len(values) // factor * factor
    return np.asarray(values[:whole].reshape(-1, factor, values.shape[1]).mean(axis=1))


def dynamic_acceleration(session: SimulatedSession) -> NDArray[np.float64]:
    """(n, 3) m/s2 without gravity and slow tilting."""
    acc = middle(session, slice(0, 3))
    return acc - gaussian_filter1d(acc, HIGH_PASS_S * SOURCE_RATE_HZ, axis=0)


def gyro_without_offset(session: SimulatedSession) -> NDArray[np.float64]:
    """(n, 3) rad/s minus the median."""
    gyro = middle(session, slice(6, 9))
    return gyro - np.median(gyro, axis=0)


def spectrum(x: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(f Hz, power density averaged over the axes) at 1.6 Hz resolution."""
    f, p = welch(x, SOURCE_RATE_HZ, nperseg=min(_SHORT, len(x)), axis=0)
    return f, p.mean(axis=1)


def band_power(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """(5,) power averaged over the axes in BANDS_HZ; the lowest from 4 s windows."""
    f, p = _fine_spectrum(x)
    return np.array([p[(f >= low) & (f < high)].sum() * (f[1] - f[0]) for low, high in BANDS_HZ])


def excess_kurtosis(x: NDArray[np.float64]) -> float:
    """Mean over the axes; 0 for Gaussian noise."""
    z = (x - x.mean(axis=0)) / x.std(axis=0)
    return float((z**4).mean() - 3.0)


def _fine_spectrum(x: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    f, p = welch(x, SOURCE_RATE_HZ, nperseg=min(int(_LONG_S * SOURCE_RATE_HZ), len(x)), axis=0)
    return f, p.mean(axis=1)


def _centroid(x: NDArray[np.float64]) -> float:
    f, p = _fine_spectrum(x)
    kept = (f >= BANDS_HZ[0][0]) & (f <= BANDS_HZ[-1][1])
    return float((f * p)[kept].sum() / p[kept].sum())


def _rms(x: NDArray[np.float64]) -> float:
    return float(np.sqrt((x**2).sum(axis=1).mean()))


def _p99(x: NDArray[np.float64]) -> float:
    return float(np.percentile(np.linalg.norm(x, axis=1), 99))

"""Simulate pulsar candidates: fold profiles, search in DM, take the survey's eight statistics.

Writes ``data/candidates.csv`` in the layout of the HTRU2 file. ``DATA.md`` tells the model in
words and how its result differs from the survey. Run ``python simulator.py`` to write it again.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.special import erf

Array = NDArray[np.float64]

SEED = 7
ROWS = 5000
PULSAR_SHARE = 1639 / 17898  # as in HTRU2
RFI_SHARE = 0.09  # of the candidates that are no pulsars
BURST_SHARE = 0.05  # likewise

BINS = 128  # phase bins of a folded profile; the survey's means are multiples of 1/128
TRIALS = 1196  # trial DMs of a curve; the survey's means are multiples of 1/1196
GREY_LEVELS = 255  # candidates are stored as 8-bit plots

FREQUENCY_GHZ = 1.352  # the survey's centre frequency and bandwidth, Keith et al. (2010)
BANDWIDTH_MHZ = 340.0
MAX_DM = 400.0  # pc cm^-3, the end of the trial range
DETECTION_LIMIT = 6.0  # a trial below this signal-to-noise leaves no mark in the curve
BACKGROUND = 4.3  # the best signal-to-noise a search finds in a trial that holds nothing


@dataclass(frozen=True)
class Source:
    """What the telescope saw: pulse components over phase, strength, and where it lies in DM."""

    snr: float
    width_ms: float
    dm: float
    components: tuple[tuple[float, float, float], ...]  # phase, width (turns), relative height


def draw_pulsar(rng: np.random.Generator) -> Source:
    """Draw a pulsar: one to three Gaussian components, a slow or a fast period, some DM."""
    period_ms = float(np.exp(rng.normal(np.log(750.0), 0.9)))
    duty = float(np.clip(np.exp(rng.normal(np.log(0.018), 0.6)), 0.004, 0.2))
    count = int(rng.choice(3, p=[0.6, 0.3, 0.1])) + 1
    main = float(rng.uniform())
    components = [(main, duty, 1.0)]
    for _ in range(count - 1):
        offset = float(rng.normal(0.0, 2.5 * duty))
        components.append(
            (main + offset, duty * rng.uniform(0.5, 1.5), float(rng.uniform(0.2, 0.9)))
        )
    snr = 8.5 + float(np.exp(rng.normal(np.log(17.0), 1.4)))
    dm = float(np.clip(rng.gamma(1.6, 80.0), 3.0, 0.95 * MAX_DM))
    return Source(min(snr, 600.0), duty * period_ms, dm, tuple(components))


def draw_noise(rng: np.random.Generator) -> Source:
    """Draw a chance peak of the search: weak, and narrow in DM, for nothing was dispersed."""
    duty = float(np.exp(rng.normal(np.log(0.06), 0.8)))
    snr = 4.8 + float(rng.exponential(0.8))
    width_ms = float(np.exp(rng.normal(np.log(5.0), 0.6)))
    return Source(
        snr, width_ms, float(rng.uniform(0.0, MAX_DM)), ((float(rng.uniform()), duty, 1.0),)
    )


def draw_interference(rng: np.random.Generator) -> Source:
    """Draw man-made interference: strongest at DM 0, as a rule a slow wave over the whole turn."""
    impulsive = rng.uniform() < 0.03
    duty = float(np.exp(rng.normal(np.log(0.03 if impulsive else 0.22), 0.25)))
    snr = 8.0 + float(np.exp(rng.normal(np.log(8.0), 0.9)))
    width_ms = float(np.exp(rng.normal(np.log(80.0), 1.0)))
    dm = abs(float(rng.normal(0.0, 4.0)))
    return Source(snr, width_ms, dm, ((float(rng.uniform()), duty, 1.0),))


def draw_burst(rng: np.random.Generator) -> Source:
    """Draw a short burst that a fold smears into a pulse: sharp in phase, gone off its one DM."""
    duty = float(np.exp(rng.normal(np.log(0.02), 0.5)))
    snr = 8.0 + float(np.exp(rng.normal(np.log(15.0), 0.9)))
    width_ms = float(np.exp(rng.normal(np.log(0.8), 0.4)))
    return Source(
        snr, width_ms, float(rng.uniform(0.0, MAX_DM)), ((float(rng.uniform()), duty, 1.0),)
    )


def receiver_noise(rng: np.random.Generator) -> Array:
    """Draw the noise of each phase bin: detected power, so chi-squared rather than Gaussian."""
    shape = float(np.exp(rng.normal(np.log(120.0), 0.8)))
    return (rng.gamma(shape, 1.0, BINS) - shape) / float(np.sqrt(shape))


def fold(source: Source, rng: np.random.Generator) -> Array:
    """Fold the source at its period: the components and unit noise in each phase bin."""
    phase = np.arange(BINS) / BINS
    shape = np.zeros(BINS)
    for centre, width, height in source.components:
        turn = (phase - centre + 0.5) % 1.0 - 0.5
        shape += height * np.exp(-0.5 * (turn / width) ** 2)
    shape -= shape.mean()
    amplitude = source.snr / float(np.sqrt(np.sum(shape**2)))  # a matched filter finds snr
    return amplitude * shape + receiver_noise(rng)


def search_in_dm(source: Source, rng: np.random.Generator) -> Array:
    """Search all trial DMs: the signal-to-noise falls off as Cordes & McLaughlin (2003), eq. 12."""
    trials = np.linspace(0.0, MAX_DM, TRIALS)
    error = np.abs(trials - source.dm)
    zeta = 6.91e-3 * error * BANDWIDTH_MHZ / (source.width_ms * FREQUENCY_GHZ**3)
    zeta = np.maximum(zeta, 1e-9)
    falloff = np.sqrt(np.pi) / 2.0 * erf(zeta) / zeta
    found: Array = np.hypot(source.snr * falloff, BACKGROUND) + rng.normal(0.0, 0.6, TRIALS)
    return found


def plot_levels(curve: Array) -> Array:
    """Scale a curve to the grey levels of a stored plot, as whole numbers from 0 to 255."""
    low, high = float(curve.min()), float(curve.max())
    if high == low:
        return np.zeros(curve.size)
    return np.rint(GREY_LEVELS * (curve - low) / (high - low))


def statistics(levels: Array) -> tuple[float, float, float, float]:
    """Take mean, standard deviation, skewness and excess kurtosis.

    This is the order of the *values* in HTRU2's columns; its names for the last two are
    exchanged (see DATA.md).
    """
    mean = float(levels.mean())
    deviation = levels - mean
    spread = float(np.sqrt(np.mean(deviation**2)))
    if spread == 0.0:
        return mean, 0.0, 0.0, 0.0
    scaled = deviation / spread
    square = scaled * scaled  # products: numpy's powers are slow
    return mean, spread, float(np.mean(square * scaled)), float(np.mean(square * square)) - 3.0


def measure(source: Source, rng: np.random.Generator) -> tuple[float, ...]:
    """Turn a source into the eight numbers of a row."""
    profile = plot_levels(fold(source, rng))
    curve = plot_levels(np.maximum(search_in_dm(source, rng), DETECTION_LIMIT))
    return statistics(profile) + statistics(curve)


def choose_sources(rows: int, rng: np.random.Generator) -> list[Callable[..., Source]]:
    """Choose what each row is, in a random order; the shares are exact."""
    pulsars = round(rows * PULSAR_SHARE)
    interference = round((rows - pulsars) * RFI_SHARE)
    bursts = round((rows - pulsars) * BURST_SHARE)
    noise = rows - pulsars - interference - bursts
    kinds: list[Callable[..., Source]] = [draw_pulsar] * pulsars
    kinds += [draw_interference] * interference + [draw_burst] * bursts + [draw_noise] * noise
    return [kinds[index] for index in rng.permutation(rows)]


def simulate(rows: int = ROWS, seed: int = SEED) -> list[str]:
    """Return the lines of the data set; the same for the same seed."""
    rng = np.random.default_rng(seed)
    lines = []
    for draw in choose_sources(rows, rng):
        values = measure(draw(rng), rng)
        label = int(draw is draw_pulsar)
        lines.append(",".join([*(f"{value:.6g}" for value in values), str(label)]))
    return lines


def main() -> None:
    """Write the data set beside this file, or where ``--output`` says."""
    parser = argparse.ArgumentParser(description=main.__doc__, allow_abbrev=False)
    default = Path(__file__).with_name("data") / "candidates.csv"
    parser.add_argument("--output", type=Path, default=default)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--unlabelled", action="store_true", help="leave the class out")
    options = parser.parse_args()
    lines = simulate(options.rows, options.seed)
    if options.unlabelled:
        lines = [line.rpartition(",")[0] for line in lines]
    text = "\n".join(lines) + "\n"
    options.output.write_text(text, encoding="ascii", newline="\n")


if __name__ == "__main__":
    main()

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import simulator
from candidates import COLUMNS, FEATURES, parse_rows, read_candidates
from containers import EXAMPLE, SURVEY
from scipy import stats

DATA = EXAMPLE / "data" / "candidates.csv"
UNSEEN = ("--rows", "400", "--seed", "8", "--unlabelled")
LOUD = simulator.Source(snr=200.0, width_ms=30.0, dm=100.0, components=((0.25, 0.02, 1.0),))


def test_the_shipped_data_come_from_the_simulator(tmp_path: Path) -> None:
    made = tmp_path / "candidates.csv"
    command = [sys.executable, str(EXAMPLE / "simulator.py"), "--output", str(made)]
    subprocess.run(command, check=True, timeout=120)
    new = np.array(parse_rows(made.read_text(), COLUMNS, "new"))
    shipped = np.array(parse_rows(DATA.read_text(), COLUMNS, "shipped"))
    assert new[:, -1].tolist() == shipped[:, -1].tolist()
    # Six digits are written; another numpy may round the last of them the other way.
    np.testing.assert_allclose(new, shipped, rtol=1.1e-5, atol=1.1e-5)


def test_the_unseen_candidates_come_from_the_simulator_and_have_no_class(tmp_path: Path) -> None:
    made = tmp_path / "unseen.csv"
    command = [sys.executable, str(EXAMPLE / "simulator.py"), "--output", str(made)]
    subprocess.run([*command, *UNSEEN], check=True, timeout=120)
    new = np.array(parse_rows(made.read_text(), FEATURES, "new"))
    shipped = np.array(
        parse_rows((EXAMPLE / "data" / "unseen.csv").read_text(), FEATURES, "shipped")
    )
    assert shipped.shape == (400, 8)
    np.testing.assert_allclose(new, shipped, rtol=1.1e-5, atol=1.1e-5)


def test_the_shipped_data_have_the_surveys_layout_and_balance() -> None:
    content = DATA.read_bytes()
    assert len(content) < 400_000
    assert b"\r" not in content
    assert content[:1].isdigit()
    candidates = read_candidates(DATA)
    assert 2000 <= len(candidates) <= 5000
    assert candidates.labels.mean() == pytest.approx(1639 / 17898, abs=1e-3)


def test_another_seed_gives_other_data_and_the_same_seed_the_same() -> None:
    first, again, other = (simulator.simulate(40, seed) for seed in (1, 1, 2))
    assert first == again != other


def test_statistics_are_scipys() -> None:
    levels = np.random.default_rng(0).integers(0, 256, 500).astype(np.float64) ** 1.5
    expected = (levels.mean(), levels.std(), stats.skew(levels), stats.kurtosis(levels))
    assert simulator.statistics(levels) == pytest.approx(expected)
    assert simulator.statistics(np.full(9, 3.0)) == (3.0, 0.0, 0.0, 0.0)


def test_a_pulse_is_folded_to_its_phase() -> None:
    profile = simulator.fold(LOUD, np.random.default_rng(0))
    assert profile.shape == (simulator.BINS,)
    assert abs(int(profile.argmax()) - 32) <= 1


def test_a_dispersed_pulse_is_found_at_its_dm_and_interference_at_zero() -> None:
    rng = np.random.default_rng(0)
    trials = np.linspace(0.0, simulator.MAX_DM, simulator.TRIALS)
    curve = simulator.search_in_dm(LOUD, rng)
    assert trials[curve.argmax()] == pytest.approx(100.0, abs=3.0)
    assert curve.max() == pytest.approx(200.0, rel=0.02)
    peaks = [
        trials[simulator.search_in_dm(simulator.draw_interference(rng), rng).argmax()]
        for _ in range(20)
    ]
    assert np.median(peaks) < 10.0


def test_a_wider_pulse_has_a_wider_peak_in_dm() -> None:
    means = []
    for width in (2.0, 20.0, 200.0):
        source = simulator.Source(30.0, width, 100.0, LOUD.components)
        means.append(simulator.measure(source, np.random.default_rng(0))[4])
    assert means == sorted(means)
    assert means[2] > 5 * means[0]


def test_plots_have_whole_grey_levels() -> None:
    levels = simulator.plot_levels(np.array([-1.0, 0.0, 3.0]))
    assert levels.tolist() == [0.0, 64.0, 255.0]
    assert simulator.plot_levels(np.ones(4)).tolist() == [0.0] * 4


@pytest.mark.skipif(not SURVEY.exists(), reason="the survey's file is not on this machine")
@pytest.mark.parametrize("label", [0, 1])
def test_medians_lie_within_the_surveys_middle_half(label: int) -> None:
    ours, survey = read_candidates(DATA), read_candidates(SURVEY)
    middle = np.median(ours.features[ours.labels == label], axis=0)
    low, high = np.quantile(survey.features[survey.labels == label], [0.25, 0.75], axis=0)
    assert ((low < middle) & (middle < high)).all()


@pytest.mark.skipif(not SURVEY.exists(), reason="the survey's file is not on this machine")
def test_the_surveys_columns_hold_what_we_say() -> None:
    table = read_candidates(SURVEY).features
    for mean, size in ((0, simulator.BINS), (4, simulator.TRIALS)):
        total = table[:, mean] * size
        np.testing.assert_allclose(total, np.rint(total), atol=2e-4)
    for third, fourth in ((2, 3), (6, 7)):  # kurtosis >= skewness squared - 2, always
        assert (table[:, fourth] >= table[:, third] ** 2 - 2 - 1e-6).all()
        assert not (table[:, third] >= table[:, fourth] ** 2 - 2).all()

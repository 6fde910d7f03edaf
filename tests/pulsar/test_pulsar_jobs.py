from __future__ import annotations

import csv
import json
import re
import sys
from pathlib import Path

import evaluate
import preprocess
import pytest
import train
from candidates import FEATURES, read_candidates
from classifiers import CLASSIFIERS, Settings, format_model, read_model_folder
from containers import EXAMPLE, SURVEY, Container, Ended, run_script

Finished = tuple[Container, dict[str, Ended]]
GATES = {"accuracy": 0.95, "precision": 0.90, "recall": 0.80}
PNG = b"\x89PNG\r\n\x1a\n"


def metrics(container: Container) -> dict[str, float]:
    text = (container.root / "processing/report/metrics.json").read_text()
    found = json.loads(text)["binary_classification_metrics"]
    return {name: found[name]["value"] for name in ("accuracy", "precision", "recall", "f1")}


def run_jobs(container: Container, model: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, float]:
    for name, value in container.training_environment().items():
        monkeypatch.setenv(name, value)
    assert preprocess.main(container.preprocess_arguments()) == 0
    assert train.main(["--model", model]) == 0
    container.pack_model()
    assert evaluate.main(container.evaluate_arguments()) == 0
    return metrics(container)


def test_every_job_ends_well(finished: Finished) -> None:
    container, ended = finished
    assert {name: (job.code, job.err) for name, job in ended.items()} == {
        "preprocess": (0, ""),
        "train": (0, ""),
        "evaluate": (0, ""),
    }
    assert "train: 4000 rows, test: 1000 rows" in ended["preprocess"].out
    assert container.files() == [
        "model/metadata.json",
        "model/model.joblib",
        "processing/model/model.tar.gz",
        "processing/report/evaluation.png",
        "processing/report/metrics.json",
        "processing/test/test.csv",
        "processing/train/train.csv",
    ]


def test_the_default_classifier_passes_the_gates_with_a_margin(finished: Finished) -> None:
    found = metrics(finished[0])
    for name, gate in GATES.items():
        assert gate + 0.01 < found[name] < 0.995, name


def test_the_balanced_regression_fails_the_precision_gate(
    container: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    container.put((EXAMPLE / "data/candidates.csv").read_bytes())
    found = run_jobs(container, "logistic-balanced", monkeypatch)
    assert found["precision"] < 0.85
    assert found["recall"] > 0.9
    assert (container.root / "processing/report/evaluation.png").read_bytes().startswith(PNG)


def test_gradient_boosting_passes_the_gates(
    container: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    container.put((EXAMPLE / "data/candidates.csv").read_bytes())
    found = run_jobs(container, "gradient-boosting", monkeypatch)
    assert all(found[name] > gate for name, gate in GATES.items())


@pytest.mark.skipif(not SURVEY.exists(), reason="the survey's file is not on this machine")
def test_the_survey_as_published(container: Container, monkeypatch: pytest.MonkeyPatch) -> None:
    container.put(SURVEY.read_bytes(), SURVEY.name)
    found = run_jobs(container, "random-forest", monkeypatch)
    sizes = {
        name: len(read_candidates(container.root / f"processing/{name}/{name}.csv"))
        for name in ("train", "test")
    }
    assert sizes == {"train": 14318, "test": 3580}
    assert found["accuracy"] >= 0.97
    assert found["precision"] >= 0.90
    assert found["recall"] >= 0.82
    assert run_jobs(container, "logistic-balanced", monkeypatch)["precision"] < 0.85


def test_the_sets_have_a_header_and_share_no_row(finished: Finished) -> None:
    base = finished[0].root / "processing"
    sets = []
    for name in ("train", "test"):
        with (base / name / f"{name}.csv").open(newline="") as file:
            header, *rows = csv.reader(file)
        assert header == [*FEATURES, "class"]
        sets.append({tuple(row) for row in rows})
    assert len(sets[0] | sets[1]) == 5000


def test_the_same_seed_gives_the_same_split_and_another_another(container: Container) -> None:
    container.put((EXAMPLE / "data/candidates.csv").read_bytes())
    found = []
    for seed in ("7", "7", "8"):
        assert preprocess.main(container.preprocess_arguments("--seed", seed)) == 0
        found.append((container.root / "processing/test/test.csv").read_bytes())
    assert found[0] == found[1] != found[2]


def test_a_share_is_held_out_and_measured(
    finished: Finished, container: Container, capsys: pytest.CaptureFixture[str]
) -> None:
    train_set = finished[0].root / "processing/train"
    folders = [f"--train={train_set}", f"--model-dir={container.root / 'model'}"]
    settings = ["--max-depth", "3", "--n-estimators", "5", "--validation-share", "0.25"]
    assert train.main([*folders, *settings]) == 0
    told = dict(re.findall(r"^(\w+:\w+)=([0-9.]+)$", capsys.readouterr().out, re.MULTILINE))
    assert len(told) == 8
    assert 0.5 < float(told["validation:f1"]) < 1
    assert told["validation:f1"] != told["train:f1"]
    model = read_model_folder(container.root / "model")
    assert max(tree.get_depth() for tree in model.estimators_) == 3  # type: ignore[attr-defined]


@pytest.mark.parametrize("model", sorted(CLASSIFIERS))
def test_two_trainings_give_the_same_bytes(
    model: str, finished: Finished, container: Container
) -> None:
    train_set = finished[0].root / "processing/test"  # the smaller one will do
    here, there = container.root / "here", container.root / "there"
    arguments = ("--model", model, f"--train={train_set}")
    assert train.main([*arguments, f"--model-dir={here}"]) == 0
    surroundings = {"PYTHONHASHSEED": "1", "OMP_NUM_THREADS": "2"}
    ended = run_script("train.py", *arguments, f"--model-dir={there}", environment=surroundings)
    assert ended.code == 0, ended.err
    for name in ("metadata.json", "model.joblib"):
        assert (here / name).read_bytes() == (there / name).read_bytes()


def test_the_seed_and_the_size_reach_the_forest(finished: Finished) -> None:
    candidates = read_candidates(finished[0].root / "processing/test/test.csv")
    files = [
        format_model(train.fit(settings, candidates), settings)["model.joblib"]
        for settings in (Settings(), Settings(seed=8), Settings(n_estimators=3))
    ]
    assert len(set(files)) == 3
    assert len(files[2]) < len(files[0])


def test_two_evaluations_give_the_same_bytes(finished: Finished) -> None:
    container = finished[0]
    report = container.root / "processing/report"
    before = {p.name: p.read_bytes() for p in report.iterdir()}
    assert evaluate.main(container.evaluate_arguments()) == 0
    assert {p.name: p.read_bytes() for p in report.iterdir()} == before
    assert before["evaluation.png"].startswith(PNG)


def test_metric_lines_are_for_regexes(finished: Finished) -> None:
    for job, names in (
        ("train", "accuracy precision recall f1"),
        ("evaluate", "accuracy precision recall f1 g_mean auc"),
    ):
        prefix = "test" if job == "evaluate" else "train"
        for name in names.split():
            line = re.search(rf"^{prefix}:{name}=([0-9.]+)$", finished[1][job].out, re.MULTILINE)
            assert line is not None, name
            assert 0.0 < float(line[1]) <= 1.0


def test_the_printed_metrics_are_the_reported(finished: Finished) -> None:
    for name, value in metrics(finished[0]).items():
        assert f"test:{name}={value:.6f}" in finished[1]["evaluate"].out


def test_folders_are_the_services_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SM_CHANNEL_TRAIN", "SM_MODEL_DIR", "SM_OUTPUT_DIR"):
        monkeypatch.delenv(name, raising=False)
    base = Path("/opt/ml")
    first = preprocess.parse_arguments([])
    assert (first.candidates, first.train, first.test, first.message) == (
        base / "processing/candidates",
        base / "processing/train",
        base / "processing/test",
        base / "output/message",
    )
    second = train.parse_arguments([])
    assert (second.train, second.model_dir, second.message) == (
        base / "input/data/train",
        base / "model",
        base / "output/failure",
    )
    third = evaluate.parse_arguments([])
    assert (third.model, third.test, third.report) == (
        base / "processing/model",
        base / "processing/test",
        base / "processing/report",
    )


@pytest.mark.parametrize(
    ("parse", "arguments"),
    [
        (preprocess.parse_arguments, ["--test-size", "1"]),
        (preprocess.parse_arguments, ["--test-size", "nan"]),
        (preprocess.parse_arguments, ["--seed", "-1"]),
        (train.parse_arguments, ["--model", "oracle"]),
        (train.parse_arguments, ["--n-estimators", "0"]),
        (train.parse_arguments, ["--learning-rate", "nan"]),
        (train.parse_arguments, ["--trees", "10"]),
        (evaluate.parse_arguments, ["--seed", "4294967296"]),
    ],
)
def test_wrong_arguments_end_the_job(parse: object, arguments: list[str]) -> None:
    assert callable(parse)
    with pytest.raises(SystemExit) as ended:
        parse(arguments)
    assert ended.value.code == 2


def test_training_on_nothing_leaves_a_failure_reason(
    container: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in container.training_environment().items():
        monkeypatch.setenv(name, value)
    assert train.main([]) == 1
    assert "one data file is wanted" in container.message("failure")
    assert container.files() == []


def test_without_matplotlib_the_numbers_are_still_written(
    finished: Finished,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.delitem(sys.modules, "picture", raising=False)
    arguments = finished[0].evaluate_arguments("--report", str(tmp_path / "report"))
    assert evaluate.main(arguments) == 0
    assert [p.name for p in (tmp_path / "report").iterdir()] == ["metrics.json"]
    assert "no picture, matplotlib is not installed" in capsys.readouterr().err

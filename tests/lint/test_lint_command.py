"""The command around the rules: choosing, levels, comments, environments, exit codes, formats."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from pipelines.cli import main
from pipelines.errors import UsageError
from pipelines.lint import Target, lint
from pipelines.lint.settings import SettingsFiles

ENVIRONMENTS = """\
environments:
  dev: {account: "111122223333", region: eu-central-1, role: "arn:aws:iam::111122223333:role/p", bucket: dev-bucket}
  prod: {account: "444455556666", region: us-east-1, role: "arn:aws:iam::444455556666:role/p", bucket: prod-bucket}
"""  # noqa: E501  # as people write it

DEFINITION = """\
pipeline: demo
parameters: {Unused: 1, Night: {type: String}}
schedules: {nightly: {rate: 1 day}}
steps:
  train:
    type: Training
    image: {framework: xgboost, version: 1.7-1}
    instance: ml.m5.xlarge
    hyperparameters: {night: "${parameters.Night}"}
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SAGEDAG_ENV", raising=False)
    (tmp_path / "environments.yaml").write_text(ENVIRONMENTS)
    (tmp_path / "pipeline.yaml").write_text(DEFINITION)
    return tmp_path


def run(*words: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(["lint", *words])
    assert isinstance(ended.value.code, int)
    return ended.value.code


def codes(**options: object) -> list[str]:
    return sorted(d.code for d in lint(Target(Path("pipeline.yaml")), **options).findings)  # type: ignore[arg-type]


EVERYTHING = [
    "missing-tags",
    "no-network-isolation",
    "no-vpc",
    "schedule-without-value",
    "unencrypted-output",
    "unencrypted-volume",
    "unused-parameter",
]


@pytest.mark.usefixtures("project")
def test_every_environment_is_looked_at_and_things_in_common_are_told_once() -> None:
    assert codes() == EVERYTHING
    assert codes(environment="prod") == EVERYTHING
    assert codes(environment="local") == ["schedule-without-value", "unused-parameter"]


@pytest.mark.usefixtures("project")
def test_codes_and_groups_are_chosen_and_the_narrower_one_wins() -> None:
    assert codes(select=["hygiene"]) == ["missing-tags", "unused-parameter"]
    assert codes(select=["no-vpc", "hygiene"], ignore=["security"])[0] == "missing-tags"
    assert "no-vpc" in codes(select=["no-vpc"], ignore=["security"])
    assert "no-vpc" not in codes(ignore=["security"])
    assert codes(select=["all"], ignore=["all"]) == []
    with pytest.raises(UsageError) as raised:
        codes(select=["no-vcp"])
    assert raised.value.hint == "did you mean `no-vpc`?"


def test_settings_of_the_nearest_pyproject(project: Path) -> None:
    (project / "pyproject.toml").write_text(
        "[tool.sagedag.lint]\n"
        'ignore = ["no-network-isolation", "service"]\n'
        'levels = {no-vpc = "error", security = "info"}\n'
        'environments = ["dev"]\n'
        'required-tags = ["team", "stage"]\n'
        'max-runtime = "1h"\n'
    )
    result = lint(Target(Path("pipeline.yaml")))
    assert result.environments == ["dev"]
    assert sorted((d.code, d.level) for d in result.findings) == [
        ("long-runtime", "warning"),
        ("missing-tags", "info"),
        ("missing-tags", "info"),
        ("no-vpc", "error"),
        ("unencrypted-output", "info"),
        ("unencrypted-volume", "info"),
        ("unused-parameter", "warning"),
    ]
    # Who asks for a rule by name gets it though the file ignores it.
    assert codes(select=["no-network-isolation"]) == ["no-network-isolation"]
    below = project / "team"
    below.mkdir()
    (below / "pyproject.toml").write_text("[tool.other]\n")
    files = SettingsFiles()
    assert files.settings(below) == files.settings(project)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[tool.sagedag.lint]\nselekt = []", "there is no setting `selekt`"),
        ('[tool.sagedag.lint]\nselect = "all"', "`select` is a list of texts"),
        ('[tool.sagedag.lint]\nignore = ["no-vcp"]', "there is no rule or group `no-vcp`"),
        ('[tool.sagedag.lint]\nlevels = {no-vpc = "fatal"}', "`fatal` is no level"),
        ('[tool.sagedag.lint]\nlevels = "high"', "`levels` is a table"),
        ('[tool.sagedag.lint]\nmax-runtime = "soon"', "max-runtime"),
        ("[tool.sagedag]\nlint = 3", "is no table"),
        ("[tool.sagedag.lint", "is no TOML: Expected ']' at the end of a table declaration"),
        ("[tool.sagedag.lint]\nx = [\n\n]]", "(at line 4, column 2)"),
        ("[tool.sagedag.lint]\nx = " + "9" * 5000, "is no TOML: Exceeds the limit"),
        ("[tool.sagedag.lint]\nx = " + "[" * 100_000, "it is nested too deeply"),
        ("[tool.sagedag.lint]\nselect = ['\x1b[31mred']", "is no TOML: Found invalid character"),
        ('[tool.sagedag.lint]\nselect = ["\\u001b]0;x"]', "there is no rule or group"),
        ('[tool.sagedag.lint]\nenvironments = ["prd"]', "did you mean `prod`?"),
        ('[tool.sagedag.lint]\nenvironments = ["../etc"]', "there is local, dev, prod"),
        ("[tool.sagedag.lint]\nmax-runtime = true", "`True` is not a duration"),
        ("#" * (1 << 20) + "\n", "is larger than 1 MiB"),
    ],
)
def test_wrong_settings_are_told(
    project: Path, text: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "pyproject.toml").write_text(text)
    assert run() == 2
    told = capsys.readouterr().err
    assert message in told
    assert told.startswith(("error: pyproject.toml", "error: [tool.sagedag.lint]"))
    assert "\x1b" not in told


def test_settings_that_are_no_text(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = project / "pyproject.toml"
    file.write_bytes(b"[tool.sagedag.lint]\n\n# \xff\n")
    assert run() == 2
    assert "pyproject.toml is no TOML: line 3 is not UTF-8" in capsys.readouterr().err
    # What is no file is no settings.
    file.unlink()
    file.symlink_to("pyproject.toml")
    assert codes() == EVERYTHING
    file.unlink()
    file.symlink_to("/dev/zero")
    assert codes() == EVERYTHING


def test_comments_accept_findings(project: Path) -> None:
    text = DEFINITION.replace(
        "pipeline: demo",
        "pipeline: demo  # sagedag: ignore[no-vpc, missing-tags] a demo",
    )
    (project / "pipeline.yaml").write_text(text)
    left = [c for c in EVERYTHING if c not in ("missing-tags", "no-vpc")]
    # A single step is told at its own place, so `no-vpc` is not found at the first line.
    assert codes() == sorted([*left, "no-vpc", "unused-ignore"])
    text = text.replace("[no-vpc, missing-tags]", "[missing-tags]")
    text = text.replace(
        "  train:", "  # sagedag: ignore[no-vpc,no-network-isolation] no data of ours\n  train:"
    )
    (project / "pipeline.yaml").write_text(text)
    result = lint(Target(Path("pipeline.yaml")))
    assert result.ignored == 3
    assert "no-vpc" not in [d.code for d in result.findings]


def test_a_comment_accepts_for_one_step_what_is_told_once_for_all(project: Path) -> None:
    steps = DEFINITION.split("steps:\n")[1]
    for name in ("other", "third"):
        accepted = "  # sagedag: ignore[no-vpc] a laboratory" if name == "other" else ""
        (project / "pipeline.yaml").write_text(
            (project / "pipeline.yaml").read_text()
            + steps.replace("  train:", f"  {name}:{accepted}")
        )
    linted = lint(Target(Path("pipeline.yaml")), select=["no-vpc", "unused-ignore"])
    assert [d.message for d in linted.findings] == ["no VPC is given for `train` and `third`"]
    assert linted.ignored == 1


def test_a_comment_for_one_environment_is_not_unused(project: Path) -> None:
    (project / "pipeline.yaml").write_text(
        DEFINITION.replace(
            "ml.m5.xlarge", "ml.p5.48xlarge  # sagedag: ignore[instance-not-offered] x"
        )
    )
    assert "instance-not-offered" not in codes()
    assert "unused-ignore" not in codes()
    assert "unused-ignore" in codes(environment="prod")
    assert "unused-ignore" not in codes(environment="local")


def test_comments_in_files_that_are_extended(project: Path) -> None:
    (project / "base.yaml").write_text(
        "# sagedag: ignore[unused-parameter] others read it\nparameters: {Unused: 1}\n"
    )
    text = DEFINITION.replace("Unused: 1, ", "")
    (project / "pipeline.yaml").write_text(f"extends: base.yaml\n{text}")
    assert "unused-parameter" not in codes()
    assert "unused-ignore" not in codes()


@pytest.mark.usefixtures("project")
def test_exit_codes(capsys: pytest.CaptureFixture[str]) -> None:
    assert run() == 7
    assert "1 error, 3 warnings and 3 remarks in 1 definition" in capsys.readouterr().err
    assert run("--ignore", "service") == 0
    assert run("--ignore", "service", "--strict") == 7
    assert run("--select", "unencrypted-volume", "--strict") == 0
    assert run("--select", "nothing-like-this") == 2
    Path("pipeline.yaml").write_text("pipeline: demo\nsteps: {a: {type: Fail}}\n")
    capsys.readouterr()
    assert run() == 1
    told = capsys.readouterr()
    assert "error[missing-key]" in told.out
    assert told.out.count("error[missing-key]") == 1
    assert "mend them first" in told.err


@pytest.mark.usefixtures("project")
def test_formats_know_all_levels(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--format", "json") == 7
    levels = {d["code"]: d["level"] for d in json.loads(capsys.readouterr().out)}
    assert levels["schedule-without-value"] == "error"
    assert levels["no-vpc"] == "warning"
    assert levels["missing-tags"] == "info"
    run("--format", "github")
    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith("::notice file=pipeline.yaml,line=1,") for line in lines)
    run("--format", "sarif")
    scan = json.loads(capsys.readouterr().out)["runs"][0]
    results = scan["results"]
    described = {r["id"]: r["shortDescription"]["text"] for r in scan["tool"]["driver"]["rules"]}
    assert described["no-vpc"] == "A job or model runs outside of your VPC"
    assert set(described) == {r["ruleId"] for r in results}
    assert {r["level"] for r in results} == {"error", "warning", "note"}


def test_a_project_without_environments_is_told_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("pipeline.yaml").write_text("pipeline: demo\nsteps: {a: {type: Fail, message: no}}\n")
    assert run() == 0
    told = capsys.readouterr().err
    assert "nothing found in 1 definition (environment local)." in told
    assert "Rules about AWS need another environment" in told


def test_linting_imports_neither_the_sdk_nor_boto(project: Path) -> None:
    script = (
        "import sys\n"
        "from pipelines.cli import main\n"
        "try:\n    main(['lint'])\n"
        "except SystemExit as ended:\n    assert ended.code == 7, ended.code\n"
        "heavy = {'sagemaker', 'boto3', 'botocore', 'numpy', 'pandas'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", script], cwd=project, check=True, capture_output=True)


def test_secrets_are_never_printed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(Path(__file__).parents[1] / "cases" / "lint")
    for style in ("text", "json", "github", "sarif"):
        run("plain-secret/finds.yaml", "--select", "plain-secret", "--format", style)
        told = capsys.readouterr()
        assert "plain-secret" in told.out
        assert "never-shown" not in told.out + told.err
        assert "AKIA" not in told.out + told.err

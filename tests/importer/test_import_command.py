"""``sagedag import`` as people call it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from imported_samples import SAMPLES, definition

from pipelines.cli.import_definition import command
from pipelines.errors import SagedagError

ABALONE = SAMPLES / "sdk2-abalone.json"


def run(*arguments: str, text: str | None = None) -> Result:
    """Run the command; an error that ends it is its exit code, as the command line makes it."""
    result = CliRunner().invoke(command, list(arguments), input=text, standalone_mode=False)
    if isinstance(result.exception, SagedagError):
        result.exit_code = result.exception.exit_code
    elif result.exception is not None:
        raise result.exception
    else:
        result.exit_code = int(result.return_value or 0)
    return result


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_definition_goes_to_standard_output_and_the_rest_to_standard_error() -> None:
    result = run(str(ABALONE))
    assert result.exit_code == 0
    assert result.stdout.startswith("# Imported from sdk2-abalone.json.\npipeline: sdk2-abalone\n")
    assert result.stderr == "Compiling the result gives what was imported.\n"


def test_a_folder_gets_a_definition_and_an_environment(elsewhere: Path) -> None:
    assert run(str(ABALONE), "-o", "out").exit_code == 0
    assert (elsewhere / "out" / "pipeline.yaml").read_text().startswith("# Imported from")
    assert "region: us-east-1" in (elsewhere / "out" / "environments.yaml").read_text()
    from pipelines.language.check import check

    for environment in ("local", "aws"):
        checked = check(elsewhere / "out" / "pipeline.yaml", environment=environment)
        assert not checked.failed


def test_an_environments_file_of_the_project_is_left_alone(elsewhere: Path) -> None:
    (elsewhere / "environments.yaml").write_text("environments: {local: {}}\n")
    assert run(str(ABALONE), "-o", "out").exit_code == 0
    assert [each.name for each in (elsewhere / "out").iterdir()] == ["pipeline.yaml"]


def test_a_definition_that_is_there_is_not_replaced_unasked(elsewhere: Path) -> None:
    (elsewhere / "out").mkdir()
    (elsewhere / "out" / "pipeline.yaml").write_text("mine")
    result = run(str(ABALONE), "-o", "out")
    assert result.exit_code == 2
    assert (elsewhere / "out" / "pipeline.yaml").read_text() == "mine"
    assert run(str(ABALONE), "-o", "out", "--force").exit_code == 0
    assert (elsewhere / "out" / "pipeline.yaml").read_text() != "mine"


LOSSY = definition(
    {"Name": "Stop", "Type": "Fail", "Arguments": {"ErrorMessage": "no"}}, Metadata={"by": "hand"}
)


def test_check_writes_nothing_and_exits_7_on_differences(elsewhere: Path) -> None:
    assert run(str(ABALONE), "--check", "-o", "out").exit_code == 0
    result = run("-", "--check", text=json.dumps(LOSSY))
    assert result.exit_code == 7
    assert "differs: Metadata" in result.stdout
    assert '  imported: {"by": "hand"}\n  compiled: nothing\n' in result.stdout
    assert "lost: /Metadata" in result.stderr
    assert list(elsewhere.iterdir()) == []


def test_what_has_errors_is_written_all_the_same(elsewhere: Path) -> None:
    bad = definition({"Name": "a b", "Type": "Fail", "Arguments": {"ErrorMessage": "no"}})
    result = run("-", "-o", "out", text=json.dumps(bad))
    assert result.exit_code == 1
    assert "error[bad-name]" in result.stderr
    assert "a b:" in (elsewhere / "out" / "pipeline.yaml").read_text()


def test_json_tells_everything() -> None:
    result = run("-", "--json", text=json.dumps(LOSSY))
    told: dict[str, Any] = json.loads(result.stdout)
    assert told["pipeline"] == "stdin"
    assert told["definition"].startswith("# Imported from stdin.")
    assert told["differences"] == [
        {"path": ["Metadata"], "imported": {"value": {"by": "hand"}}, "compiled": {}}
    ]
    assert [note["lost"] for note in told["notes"]] == [True]
    assert result.stderr == ""


@pytest.mark.parametrize("source", ["nowhere.json", "some/where", "missing.yaml"])
def test_a_file_that_is_not_there_is_no_pipeline_name(source: str) -> None:
    result = run(source)
    assert result.exit_code == 2
    assert "there is no file" in str(result.exception)


def test_a_file_named_definition_is_called_after_its_folder(elsewhere: Path) -> None:
    (elsewhere / "churn").mkdir()
    shutil.copy(ABALONE, elsewhere / "churn" / "definition.json")
    assert "\npipeline: churn\n" in run("churn/definition.json").stdout


def test_bytes_that_are_no_text_are_told(elsewhere: Path) -> None:
    (elsewhere / "x.json").write_bytes(b"\xff\xfe{")
    assert run("x.json").exit_code == 2


def test_it_needs_no_aws_for_a_file() -> None:
    code = (
        "import sys; from pipelines.cli.import_definition import command; "
        f"command([{str(ABALONE)!r}, '--help'], standalone_mode=False); "
        "print(sorted(n for n in ('boto3', 'sagemaker', 'botocore') if n in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.rstrip().endswith("[]")

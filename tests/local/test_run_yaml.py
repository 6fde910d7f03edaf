"""`sagedag run` on YAML: compile, publish the code, run."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from sagedag_process import run_sagedag

ROOT = Path(__file__).parents[2]

YAML = """
pipeline: count-{{ vars.what }}
vars: {what: rows}
parameters:
  Data: data/rows.csv
  Least: 2
steps:
  count:
    type: Processing
    code: code/count.py
    image: {framework: sklearn, version: 1.2-1}
    instance: ml.m5.large
    arguments: {least: "${parameters.Least}"}
    inputs: {data: "${parameters.Data}"}
    outputs: [report]
    files: {count: report/count.json}
  enough:
    type: Condition
    if: steps.count.files.count.rows >= parameters.Least
    then:
      again:
        type: Processing
        code: code/count.py
        image: {framework: sklearn, version: 1.2-1}
        instance: ml.m5.large
        inputs: {data: "${steps.count.outputs.report}"}
        outputs: [report]
    else:
      stop:
        type: Fail
        message: "only ${steps.count.files.count.rows} rows"
"""

SCRIPT = """
import json
from pathlib import Path

rows = sum(len(p.read_text().splitlines()) for p in Path("/opt/ml/processing/data").iterdir())
print(rows, "rows")
Path("/opt/ml/processing/report/count.json").write_text(json.dumps({"rows": rows}))
"""


class Definitions:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.pipeline = folder / "definitions/count"
        (self.pipeline / "code").mkdir(parents=True)
        (self.pipeline / "data").mkdir()
        (folder / "definitions/environments.yaml").write_text("environments: {local: {}}\n")
        (self.pipeline / "pipeline.yaml").write_text(YAML)
        (self.pipeline / "code/count.py").write_text(SCRIPT)
        (self.pipeline / "data/rows.csv").write_text("1\n2\n3\n")

    def run(
        self, *arguments: str, code: int = 0, text: str | None = None, folder: str = "."
    ) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "NO_COLOR": "1"}
        done = run_sagedag("run", *arguments, cwd=self.folder / folder, env=environment, text=text)
        assert "Traceback" not in done.stderr, done.stderr
        assert done.returncode == code, done.stdout + done.stderr
        return done


@pytest.fixture
def definitions(tmp_path: Path) -> Definitions:
    return Definitions(tmp_path)


def test_a_folder_is_compiled_its_code_published_and_run(definitions: Definitions) -> None:
    done = definitions.run("definitions/count", "--json")
    found = json.loads(done.stdout)
    assert found["status"] == "Succeeded"
    assert found["pipeline"] == "count-rows"
    assert [step["StepName"] for step in found["steps"]] == ["count", "enough", "again"]
    # The store stands beside the folder of the definitions, wherever the command runs.
    assert found["store"] == str(definitions.folder / ".sagedag")
    assert list((definitions.folder / ".sagedag/s3").glob("*/**/files/count.py"))
    assert "3 rows" in Path(found["steps"][0]["Log"]).read_text()


def test_standard_input_with_values_and_variables(definitions: Definitions) -> None:
    (definitions.pipeline / "mine.csv").write_text("1\n")
    options = ["-p", "Data=mine.csv", "--var", "what=mine"]
    done = definitions.run("-", *options, text=YAML, folder="definitions/count", code=5)
    assert "Pipeline   count-mine" in done.stdout
    assert "stop failed: only 1 rows" in done.stdout


def test_mistakes_are_shown_where_they_are_and_nothing_runs(definitions: Definitions) -> None:
    broken = YAML.replace("type: Fail", "type: Fial")
    (definitions.pipeline / "pipeline.yaml").write_text(broken)
    done = definitions.run("definitions/count", code=1)
    assert "pipeline.yaml:" in done.stderr and "did you mean `Fail`?" in done.stderr
    assert not (definitions.folder / ".sagedag").exists()
    # The one definition below a folder is taken.
    assert "did you mean `Fail`?" in definitions.run("definitions", code=1).stderr
    assert (
        "--name is for JSON" in definitions.run("definitions/count", "--name", "x", code=2).stderr
    )


WHOLE = """
pipeline: nights
parameters: {Nights: '[{"night": "monday", "rows": 3}, {"night": "tuesday", "rows": 5}]'}
defaults: {image: {framework: sklearn, version: 1.2-1}, instance: ml.m5.large}
steps:
  each:
    type: ForEach
    items: "${parameters.Nights}"
    max_concurrency: 2
    steps:
      fold:
        type: Function
        function: nights:fold
        arguments: {night: "${item.night}", rows: "${item.rows}"}
      rate:
        type: Lambda
        function: rate
        arguments: {night: "${item.night}"}
        outputs: {rate: Float}
    select: {max: "${steps.rate.outputs.rate}"}
  best:
    type: Processing
    command: [python3, -c, "import sys; print(sys.argv[1:])"]
    arguments:
      - "${steps.each.selected.outputs.rate}"
      - "${steps.each.iterations[0].fold.properties.ProcessingJobName}"
  ask:
    type: Callback
    queue: reviews
    arguments: {rounds: "${steps.each.properties.InputItemCount}"}
    outputs: [verdict]
    depends_on: [best]
  record:
    type: Lineage
    artifacts: {data: {type: DataSet, source: "${steps.ask.outputs.verdict}"}}
"""


def test_loops_functions_and_stand_ins_run_from_yaml(tmp_path: Path) -> None:
    (tmp_path / "pipeline.yaml").write_text(WHOLE)
    (tmp_path / "nights.py").write_text(
        "def fold(night, rows):\n    return {'night': night, 'rows': int(rows) * 2}\n"
        "def rate(event):\n    return {'rate': 0.25 if event['night'] == 'monday' else 0.75}\n"
    )
    (tmp_path / "local.yaml").write_text(
        "lambdas: {rate: nights:rate}\ncallbacks: {reviews: {outputs: {verdict: s3://b/good}}}\n"
    )
    done = run_sagedag("run", ".", "--json", cwd=tmp_path, env={**os.environ})
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(done.stdout)
    steps = {step["StepName"]: step for step in found["steps"]}
    assert steps["each"]["Metadata"]["ForEach"]["Selector"] == {"StepName": "rate-1", "Index": 1}
    job = Path(steps["best"]["Log"]).read_text()
    assert "'0.75'" in job and "-fold-0-" in job
    assert steps["fold-1"]["IterationContext"]["ParentStepName"] == "each"
    assert found["lineage"]["entities"][0]["Source"] == {"SourceUri": "s3://b/good"}

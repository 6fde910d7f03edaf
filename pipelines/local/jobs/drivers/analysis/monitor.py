"""What the image of Model Monitor does with its variables.

Source: Amazon SageMaker Developer Guide, "Container Contract Inputs" and "Outputs" (Model Monitor,
bring your own containers), which name the image's own variables and files.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from . import answers
from .columns import describe, suggest
from .drift import find_violations
from .files import read_json, run, write_json
from .scripts import postprocess, preprocessor
from .tables import Format, read_format, read_table

EXTRA = 'pip install "sagedag[checks]"'


def main() -> int:
    """Analyse the data set that the variables name."""
    return run(analyse, EXTRA)


def analyse(variables: Mapping[str, str]) -> None:
    """Write statistics, constraints and, where there is a baseline, violations.

    Raises:
        UserError: the request or the data are wrong.
    """
    output = Path(variables.get("output_path", "/opt/ml/processing/output"))
    form = read_format(variables.get("dataset_format", '{"csv": {"header": true}}'))
    script = variables.get("record_preprocessor_script")
    source = Path(variables.get("dataset_source", "/opt/ml/processing/input"))
    table = read_table(source, form, preprocessor(script) if script else None)
    print(f"{len(table)} rows, {len(table.columns)} columns", flush=True)
    constraints = variables.get("baseline_constraints")
    baseline = read_json(constraints, "the baseline's constraints") if constraints else None
    statistics = variables.get("baseline_statistics")
    known = read_json(statistics, "the baseline's statistics") if statistics else None
    if variables.get("analysis_type") == "MODEL_QUALITY":
        made = answers.judge(table, variables)
        found = answers.compare(made[0], baseline) if baseline is not None else None
    else:
        table = _by_position(table, form, baseline)
        made = (describe(table), suggest(table))
        found = find_violations(table, baseline, known) if baseline is not None else None
    write_json(output, "statistics.json", made[0])
    write_json(output, "constraints.json", made[1])
    if found is not None:
        write_json(output, "constraint_violations.json", {"violations": found})
        for each in found:
            where = each.get("feature_name") or each.get("metric_name")
            print(f"violation: {where}: {each['description']}", flush=True)
    script = variables.get("post_analytics_processor_script")
    if script:
        postprocess(script)


def _by_position(table: Any, form: Format, baseline: Mapping[str, Any] | None) -> Any:
    """Give columns without names those of the baseline, where there are as many.

    [U] A baseline of data with a header is compared with captured data, which have none.
    """
    features = (baseline or {}).get("features")
    unnamed = [f"_c{n}" for n in range(len(table.columns))]
    if isinstance(features, list) and list(table.columns) == unnamed == unnamed[: len(features)]:
        names = [str(feature.get("name")) for feature in features]
        if form.outputs_last and form.kind == "capture":
            names = [*names[-1:], *names[:-1]]
        table.columns = names
    return table

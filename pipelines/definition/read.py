"""Reading definition JSON, whoever wrote it, into :class:`Definition`."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from pipelines.definition.checks import check_references
from pipelines.definition.expressions import describe
from pipelines.definition.model import Branch, Definition, Step
from pipelines.definition.parameters import read_parameters
from pipelines.definition.problems import Problems
from pipelines.definition.steps import read_step
from pipelines.errors import DefinitionError

VERSION = "2020-12-01"

# botocore: PipelineDefinition is at most 1,048,576 characters; those on S3 may be larger.
MAX_SIZE = 16 * 1024 * 1024
# Real definitions nest some twenty deep; the bound keeps recursion safe.
MAX_DEPTH = 100

_HALF = re.compile(r"\\u[dD][89a-fA-F]|[\ud800-\udfff]")


def read_definition(source: str | bytes | Mapping[str, object]) -> Definition:
    """Read and check a pipeline definition.

    Args:
        source: the JSON text, or the document already parsed.

    Returns:
        The definition; its references name things that exist and its graph has no cycle.

    Raises:
        DefinitionError: it is no JSON, or not a pipeline definition; the message lists every
            problem with its JSON pointer.
    """
    document = source if isinstance(source, Mapping) else _parse(source)
    _check_depth(document)
    problems = Problems()
    root = problems.mapping(document, "")
    problems.raise_if_any()
    version = root.get("Version")
    if version != VERSION:
        problems.add("/Version", f'must be "{VERSION}"')
    parameters = read_parameters(root.get("Parameters"), problems)
    steps = _read_steps(root.get("Steps"), problems)
    experiment = root.get("PipelineExperimentConfig")
    if experiment is not None:
        experiment = problems.mapping(experiment, "/PipelineExperimentConfig")
    problems.raise_if_any()
    definition = Definition(parameters, steps, experiment, root)
    check_references(definition, problems)
    problems.raise_if_any()
    return definition


def _parse(source: str | bytes) -> object:
    if len(source) > MAX_SIZE:
        raise DefinitionError(f"the pipeline definition is larger than {MAX_SIZE >> 20} MiB")
    try:
        text = source if isinstance(source, str) else source.decode("utf-8-sig")
        if _HALF.search(text):
            _refuse_halves(text)
        return json.loads(text, object_pairs_hook=_unique, parse_constant=_refuse_constant)
    except UnicodeDecodeError as error:
        raise DefinitionError(
            f"the pipeline definition is not UTF-8 text (byte {error.start})"
        ) from None
    except json.JSONDecodeError as error:
        raise DefinitionError(
            f"the pipeline definition is not JSON: {error.msg} "
            f"(line {error.lineno}, column {error.colno})"
        ) from None
    except RecursionError:
        raise DefinitionError("the pipeline definition nests too deep") from None
    except ValueError as error:
        raise DefinitionError(f"the pipeline definition is not JSON: {error}") from None


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise ValueError(f"the key {json.dumps(key[:100])} stands twice in one object")
            seen.add(key)
    return found


def _refuse_halves(text: str) -> None:
    """Refuse text that cannot be written as UTF-8: one half of a surrogate pair.

    Raises:
        ValueError: there is one.
    """
    try:
        json.dumps(json.loads(text), ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        half = f"\\u{ord(error.object[error.start]):04x}"
        raise ValueError(f"{half} is half of a surrogate pair, which is no text") from None


def _refuse_constant(name: str) -> object:
    raise ValueError(f"{name} is no JSON value")


def _check_depth(document: object) -> None:
    level: list[object] = [document]
    for _ in range(MAX_DEPTH):
        below: list[object] = []
        for value in level:
            if isinstance(value, Mapping):
                below.extend(item for item in value.values() if isinstance(item, (Mapping, list)))
            elif isinstance(value, list):
                below.extend(item for item in value if isinstance(item, (Mapping, list)))
        if not below:
            return
        level = below
    raise DefinitionError(f"the pipeline definition nests deeper than {MAX_DEPTH} levels")


def _read_steps(value: object, problems: Problems) -> tuple[Step, ...]:
    found: list[Step] = []
    _collect(value, "/Steps", None, found, problems)
    if not found and not problems.found:
        problems.add("/Steps", "a pipeline needs at least one step")
    seen: dict[str, str] = {}
    for step in (each for outer in found for each in (outer, *outer.body)):
        if step.name and step.name in seen:
            problems.add(
                f"{step.pointer}/Name",
                f"the name `{step.name}` is taken by the step at {seen[step.name]}",
            )
        seen.setdefault(step.name, step.pointer)
    _check_rounds(found, problems)
    return tuple(found)


def _check_rounds(found: list[Step], problems: Problems) -> None:
    """Check that no step is called like one of a ForEach's rounds: ``BODY-0``, ``BODY-1``, …."""
    bodies = {inner.name for step in found for inner in step.body}
    for step in found:
        head, _, digits = step.name.rpartition("-")
        if head in bodies and digits.isascii() and digits.isdigit():
            problems.add(
                f"{step.pointer}/Name",
                f"`{step.name}` is what a round of the ForEach step `{head}` is called",
            )


def _collect(
    value: object, pointer: str, branch: Branch | None, found: list[Step], problems: Problems
) -> None:
    if value is None:
        value = []
    if not isinstance(value, list):
        problems.add(pointer, f"must be a list of steps, not {describe(value)}")
        return
    for index, item in enumerate(value):
        here = f"{pointer}/{index}"
        step = read_step(item, here, branch, problems)
        if step is None:
            continue
        found.append(step)
        if step.type == "Condition" and isinstance(item, Mapping):
            arguments = item.get("Arguments")
            if isinstance(arguments, Mapping):
                for key, taken in (("IfSteps", True), ("ElseSteps", False)):
                    inner = Branch(step.name, taken)
                    _collect(arguments.get(key), f"{here}/Arguments/{key}", inner, found, problems)

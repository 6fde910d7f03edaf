"""Where a definition may stand in: its own JSON, an API answer, CloudFormation, ACK, Terraform."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pipelines.definition.normal import Path
from pipelines.errors import UsageError
from pipelines.importer.assembling import Surroundings
from pipelines.importer.intrinsics import Intrinsics
from pipelines.importer.plain_yaml import read_documents
from pipelines.importer.words import with_values

MAX_SIZE = 16 * 1024 * 1024
MAX_DEPTH = 90

BODIES = ("PipelineDefinitionBody", "PipelineDefinition", "pipelineDefinition",
          "pipeline_definition", "pipeline_definition_body")  # fmt: skip
"""Members that hold a definition: CloudFormation's, the API's, ACK's, Terraform's, and AWSCC's."""
PLACES = ("PipelineDefinitionS3Location", "pipelineDefinitionS3Location",
          "pipeline_definition_s3_location")  # fmt: skip
"""Members that say where on S3 a definition lies."""

LIMITS = ("ParallelismConfiguration", "parallelismConfiguration", "parallelism_configuration")
LIMIT = ("MaxParallelExecutionSteps", "maxParallelExecutionSteps", "max_parallel_execution_steps")


@dataclass(frozen=True)
class Found:
    """A definition that was found in a document.

    Args:
        definition: the definition JSON.
        around: what stands beside it.
        remarks: lines that the reader must see at the top of the result.
    """

    definition: Mapping[str, Any]
    around: Surroundings
    remarks: tuple[str, ...] = field(default=())


def find_definition(text: str, name: str, wanted: str = "") -> Found:
    """Return the pipeline definition that a text holds.

    Args:
        text: JSON or YAML.
        name: the file's name, for messages and as the pipeline's where nothing else says one.
        wanted: which pipeline, where the document has several.

    Raises:
        UsageError: it can't be read, holds no definition, or several.
    """
    documents = _documents(text, name)
    intrinsics = Intrinsics()
    for document in documents:
        intrinsics.learn(document)
    found = [one for document in documents for one in _definitions(document, name, intrinsics)]
    variables = intrinsics.variables
    names = [str(with_values(one.around.name, variables)) for one in found]
    if wanted:
        found = [one for one, name in zip(found, names, strict=True) if name == wanted]
    if len(found) == 1:
        one = found[0]
        remarks = (*one.remarks, *intrinsics.remarks)
        return replace(one, around=replace(one.around, variables=variables), remarks=remarks)
    if len(found) > 1:
        listed = ", ".join(f"`{each}`" for each in names)
        raise UsageError(
            f"{name} holds {len(found)} pipelines: {listed}", "name one of them with --pipeline"
        )
    raise _nothing_in(documents, name, wanted)


def _nothing_in(documents: Sequence[Any], name: str, wanted: str) -> UsageError:
    if wanted:
        return UsageError(f"{name} holds no pipeline `{wanted}`")
    for document in documents:
        for _, value in _maps(document):
            place = next((value[key] for key in PLACES if key in value), None)
            if place is not None:
                shown = json.dumps(place, default=str)[:200]
                return UsageError(
                    f"the definition is not in {name} but on S3: {shown}",
                    "fetch it with `aws s3 cp` and import that file, or name the pipeline: "
                    "`sagedag import PIPELINE_NAME`",
                )
    return UsageError(
        f"{name} holds no pipeline definition",
        "a definition is JSON with `Version` and `Steps`; it may stand in a CloudFormation "
        "template, a Kubernetes manifest, Terraform's JSON or an answer of describe-pipeline",
    )


def _documents(text: str, name: str) -> list[Any]:
    if len(text) > MAX_SIZE:
        raise UsageError(f"{name} is larger than {MAX_SIZE >> 20} MiB")
    start = text.lstrip("\ufeff \t\r\n")[:1]
    if start in ("{", "["):
        try:
            documents = [parse_json(text.lstrip("\ufeff"))]
        except json.JSONDecodeError as error:
            message = f"{name}:{error.lineno}:{error.colno} is no JSON: {error.msg}"
            raise UsageError(message) from None
        except (ValueError, RecursionError) as error:
            raise UsageError(f"{name} can't be read: {_unreadable(error)}") from None
    else:
        documents = read_documents(text.lstrip("\ufeff"), name)
    for document in documents:
        check_depth(document, name)
    return documents


def parse_json(text: str) -> Any:
    """Return a JSON text's data.

    Raises:
        ValueError: it is none, or a key stands twice in one object.
    """
    return json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise ValueError(f"the key {json.dumps(key[:100])} stands twice in one object")
            seen.add(key)
    return made


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON value")


def check_depth(document: Any, name: str) -> None:
    """Refuse data that nests too deeply for anybody.

    Raises:
        UsageError: it does.
    """
    level = [document] if isinstance(document, (Mapping, list)) else []
    for _ in range(MAX_DEPTH):
        below: list[Any] = []
        for value in level:
            items = value.values() if isinstance(value, Mapping) else value
            below += [item for item in items if isinstance(item, (Mapping, list))]
        if not below:
            return
        level = below
    raise UsageError(f"{name} nests deeper than {MAX_DEPTH} levels")


def _unreadable(error: ValueError | RecursionError) -> str:
    """Return why JSON can't be read, without Python's advice to programmers."""
    if isinstance(error, RecursionError):
        return f"it nests deeper than {MAX_DEPTH} levels"
    text = str(error)
    return "it holds a number of more than 4,300 digits" if "integer string" in text else text


def _maps(value: Any, path: Path = ()) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    """Yield every map of a document, outer ones first, without looking into definitions."""
    if isinstance(value, Mapping):
        yield path, value
        if _is_definition(value):
            return
        for key, item in value.items():
            yield from _maps(item, (*path, str(key)))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _maps(item, (*path, index))


def _is_definition(value: Any) -> bool:
    return isinstance(value, Mapping) and isinstance(value.get("Steps"), list)


def _definitions(document: Any, name: str, intrinsics: Intrinsics) -> Iterator[Found]:
    if _is_definition(document):
        yield Found(document, Surroundings(pipeline_name(name)))
        return
    holders = [(p, v) for p, v in _maps(document) if any(key in v for key in BODIES)]
    for path, holder in holders:
        body = next(holder[key] for key in BODIES if key in holder)
        if isinstance(body, Mapping) and any(key in body for key in BODIES):
            continue  # CloudFormation: the body stands one level further down
        definition = _body(body, name, intrinsics)
        if definition is None:
            continue
        above = _at(document, path[:-1]) if path and "ody" in _key_of(holder) else holder
        beside = above if isinstance(above, Mapping) and len(above) >= len(holder) else holder
        yield Found(definition, _surroundings(beside, path, name, intrinsics))


def _key_of(holder: Mapping[str, Any]) -> str:
    return next(key for key in BODIES if key in holder)


def _body(body: Any, name: str, intrinsics: Intrinsics) -> Mapping[str, Any] | None:
    resolved = intrinsics.resolve(body)
    if isinstance(resolved, str):
        if re.match(r"\s*\$\{", resolved):
            raise UsageError(
                f"the definition in {name} is an expression of Terraform",
                "import what Terraform makes of it: `terraform show -json > plan.json`",
            )
        try:
            resolved = parse_json(resolved)
        except (ValueError, RecursionError) as error:
            raise UsageError(f"the definition in {name} is no JSON: {_unreadable(error)}") from None
        check_depth(resolved, name)
    return resolved if _is_definition(resolved) else None


def _at(document: Any, path: Path) -> Any:
    for key in path:
        document = document[key]
    return document


def _surroundings(
    holder: Mapping[str, Any], path: Path, name: str, intrinsics: Intrinsics
) -> Surroundings:
    """Return what a holder says of its pipeline, in whichever tool's spelling."""

    def said(*keys: str) -> str:
        value = intrinsics.resolve(_first(holder, keys))
        return value if isinstance(value, str) else ""

    limits = _first(holder, LIMITS)
    limits = limits[0] if isinstance(limits, list) and limits else limits
    limit = _first(limits, LIMIT) if isinstance(limits, Mapping) else None
    given = said("PipelineName", "pipelineName", "pipeline_name")
    fallback = next(
        (part for part in reversed(path) if isinstance(part, str) and part not in _STRUCTURE), name
    )
    return Surroundings(
        name=given or pipeline_name(fallback),
        role=said("RoleArn", "roleARN", "role_arn"),
        arn=said("PipelineArn"),
        description=said("PipelineDescription", "pipelineDescription", "pipeline_description"),
        display_name=said("PipelineDisplayName", "pipelineDisplayName", "pipeline_display_name"),
        parallelism=limit if isinstance(limit, int) and not isinstance(limit, bool) else None,
        tags=_tags(holder, intrinsics),
    )


_STRUCTURE = ("Resources", "Properties", "PipelineDefinition", "spec", "values", "attributes",
              "resource", "resources", "instances", "root_module", "planned_values",
              "aws_sagemaker_pipeline")  # fmt: skip


def _first(holder: Mapping[str, Any], keys: Sequence[str]) -> Any:
    """Return what stands under the first of several keys that says something."""
    return next((holder[key] for key in keys if holder.get(key)), None)


def _tags(holder: Mapping[str, Any], intrinsics: Intrinsics) -> dict[str, str]:
    given = _first(holder, ("Tags", "tags"))
    if isinstance(given, list):
        pairs = [
            (item.get("Key", item.get("key")), item.get("Value", item.get("value")))
            for item in given
            if isinstance(item, Mapping)
        ]
    else:
        pairs = list(given.items()) if isinstance(given, Mapping) else []
    made = {}
    for key, value in pairs:
        text = intrinsics.resolve(value)
        if isinstance(key, str) and isinstance(text, str):
            made[key] = text
    return made


def pipeline_name(text: str) -> str:
    """Return a pipeline's name made of a file's or resource's."""
    stem = text.rsplit("/", 1)[-1]
    stem = re.sub(r"\.(json|ya?ml|tf|template|txt)$", "", stem, flags=re.IGNORECASE)
    stem = re.sub(r"[^A-Za-z0-9]+", "-", stem).strip("-")
    return stem[:256] or "imported"

"""Where the code of an imported step lies, and the configuration of a Clarify check."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from steps._processing import CODE_PATH

_OWN = re.compile(r"/assets/sha256/[0-9a-f]{64}/")
_SUBMIT = ("sagemaker_submit_directory", "SAGEMAKER_SUBMIT_DIRECTORY")
_PROGRAM = ("sagemaker_program", "SAGEMAKER_PROGRAM")
_PACKED = "/sourcedir.tar.gz"
CHANNELS = "/opt/ml/input/data"
"""Where a training job's container finds its channels (Developer Guide, "How SageMaker AI provides
training information")."""
REPACKS = ("_repack_script_launcher.sh", "_repack_model.py")
"""What SDK 2's repack step runs (``workflow/_utils.py``)."""
REPACKED = (
    "The SDK's own repacking of a model: `code` at the step that uses it would do the same, by a "
    "Repack step, whose script is another."
)
CONFIG_INPUT = "analysis_config"
"""The input of a Clarify check's job that holds its configuration."""


@dataclass(frozen=True)
class CodePlace:
    """A place on S3 that a step takes code from.

    Args:
        where: what names it in the step.
        uri: its S3 URI, or the beginning that is known before an execution; empty where nothing
            is, or another step says it.
        program: the file in it that is run; empty where nothing tells.
        packed: whether it is an archive that the container unpacks.
        whole: whether the URI is all of it.
    """

    where: str
    uri: str
    program: str
    packed: bool = False
    whole: bool = True


def code_places(step: Mapping[str, Any]) -> list[CodePlace]:
    """Return the places that a step takes code from, each once.

    Args:
        step: its object in the definition.
    """
    arguments = step.get("Arguments")
    if not isinstance(arguments, Mapping):
        return []
    if step.get("Type") == "Processing":
        return list(dict.fromkeys(_processing(arguments)))
    return list(dict.fromkeys((*_submitted(arguments), *_channels(arguments))))


def config_place(step: Mapping[str, Any]) -> str:
    """Return the S3 URI of a Clarify check's configuration; empty for anything else."""
    arguments = step.get("Arguments")
    if step.get("Type") != "ClarifyCheck" or not isinstance(arguments, Mapping):
        return ""
    found = [s.get("S3Uri") for name, s in _sources(arguments) if name == CONFIG_INPUT]
    return next((_text(uri) for uri in found if _is_whole(uri)), "")


def code_comments(step: Mapping[str, Any], fetched: Mapping[str, Any]) -> list[str]:
    """Return comments that say where a step's code lies, for whoever wants it beside the file.

    Args:
        step: its object in the definition.
        fetched: what is beside the file already, by its URI.
    """
    found = [place for place in code_places(step) if place.uri.startswith("s3://")]
    repacks = any(place.program in REPACKS for place in found)
    said = [REPACKED] if repacks else []
    places = [place for place in found if place.uri not in fetched]
    if not places:
        return said  # another step says where, or it lies in the container
    programs = dict.fromkeys(place.program for place in places if place.program)
    what = " and ".join(f"`{_one_line(program)}`" for program in programs) or "Its code"
    verb = ("are" if len(programs) > 1 else "is") + " run from" if programs else "lies in"
    whose = " (published by sagedag)" if _OWN.search(places[0].uri) else ""
    where = " and ".join(f"`{place.where}`" for place in places)
    way = "beside this file it would be `code`."
    if all(place.whole for place in places):
        way = "--download fetches it beside this file."
        if any(place.where == _SUBMIT[0] for place in places):
            way = "with --download it is `code`, and hyperparameters are plain values."
    return [*said, f"{what} {verb} S3{whose}, see {where}; {way}"]


def _submitted(arguments: Mapping[str, Any]) -> Iterator[CodePlace]:
    for table in _tables(arguments):
        where = next(key for key in _SUBMIT if key in table)
        program = next((_text(table[key]) for key in _PROGRAM if key in table), "")
        uri, whole = _text(table[where]), _is_whole(table[where])
        yield CodePlace(where, uri, program, packed=True, whole=whole)


def _channels(arguments: Mapping[str, Any]) -> Iterator[CodePlace]:
    """Yield the channels that hold what a training job runs, with the SDK's drivers among them."""
    spec = arguments.get("AlgorithmSpecification")
    spec = spec if isinstance(spec, Mapping) else {}
    entry, words = spec.get("ContainerEntrypoint"), spec.get("ContainerArguments")
    run = [path for path, whole in _paths(entry if isinstance(entry, list) else []) if whole]
    told = [
        *(entry if isinstance(entry, list) else ()),
        *(words if isinstance(words, list) else ()),
    ]
    by_sdk = any(isinstance(word, str) and f"{CHANNELS}/sm_drivers/" in word for word in told)
    channels = arguments.get("InputDataConfig")
    for channel in channels if isinstance(channels, list) else ():
        name = channel.get("ChannelName") if isinstance(channel, Mapping) else None
        inside = f"{CHANNELS}/{name}/"
        program = next((p.removeprefix(inside) for p in run if p.startswith(inside)), "")
        if program or (by_sdk and name in ("code", "sm_drivers")):
            uri = _source_of(channel)
            yield CodePlace(f"inputs.{name}", _text(uri), program, whole=_is_whole(uri))


def _source_of(channel: Mapping[str, Any]) -> Any:
    """Return where a channel's objects lie."""
    source: Any = channel.get("DataSource")
    source = source.get("S3DataSource") if isinstance(source, Mapping) else None
    return source.get("S3Uri") if isinstance(source, Mapping) else None


def _processing(arguments: Mapping[str, Any]) -> Iterator[CodePlace]:
    """Yield the inputs that hold what a job runs; those around them may be data."""
    app = arguments.get("AppSpecification")
    words = app.get("ContainerEntrypoint") if isinstance(app, Mapping) else None
    run = list(_paths(words if isinstance(words, list) else []))
    folders = {
        name: source["LocalPath"].rstrip("/")
        for name, source in _sources(arguments)
        if isinstance(source.get("LocalPath"), str)
    }
    programs: dict[str, str] = {}
    for path, is_program in sorted(run, key=lambda each: not each[1]):
        around = [n for n, folder in folders.items() if f"{path}/".startswith(f"{folder}/")]
        name = max(around, key=lambda each: len(folders[each]), default=None)
        if name is not None:
            inside = path.removeprefix(folders[name]).lstrip("/")
            programs.setdefault(name, inside if is_program else "")
    for name, source in _sources(arguments):
        uri = _text(source.get("S3Uri"))
        # What the SDK's own script unpacks and runs lies where no entry point says.
        if name in programs or uri.endswith(_PACKED) or folders.get(name) == CODE_PATH:
            whole = _is_whole(source.get("S3Uri"))
            yield CodePlace(f"inputs.{name}", uri, programs.get(name, ""), whole=whole)


def _paths(words: list[Any]) -> Iterator[tuple[str, bool]]:
    """Yield the paths in a container's entry point, and whether each is a word of its own."""
    for word in words:
        if isinstance(word, str) and word.startswith("/"):
            yield word, True
        elif isinstance(word, str):
            for found in re.findall(r"(?<![\w./-])/[\w./-]+", word):
                yield found.rstrip("/"), False


def _sources(arguments: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the names of a processing job's inputs, each with what it takes from S3."""
    inputs = arguments.get("ProcessingInputs")
    for item in inputs if isinstance(inputs, list) else ():
        source = item.get("S3Input") if isinstance(item, Mapping) else None
        if isinstance(source, Mapping):
            yield str(item.get("InputName")), source


def _tables(value: Any, depth: int = 0) -> Iterator[Mapping[str, Any]]:
    """Yield the maps in which a program and its folder are named."""
    if isinstance(value, Mapping) and depth < 8:
        if any(key in value for key in _SUBMIT):
            yield value
        for item in value.values():
            yield from _tables(item, depth + 1)
    elif isinstance(value, list) and depth < 8:
        for item in value:
            yield from _tables(item, depth + 1)


def _is_whole(value: Any) -> bool:
    """Whether a text is known before an execution."""
    return isinstance(value, str) or (isinstance(value, Mapping) and len(_joined(value)) == 1)


def _joined(value: Mapping[str, Any]) -> list[Any]:
    """Return the parts of a join; none of anything else."""
    body = next(iter(value.values()), None) if len(value) == 1 else None
    parts = body.get("Values") if isinstance(body, Mapping) else None
    return parts if isinstance(parts, list) else []


def _text(value: Any) -> str:
    """Return a literal text, a JSON text without its quotes; of a join the part that is known."""
    if isinstance(value, Mapping):
        first = next(iter(_joined(value)), "")
        return _text(first) if isinstance(first, str) else ""
    if not isinstance(value, str):
        return ""
    try:
        inner = json.loads(value)
    except ValueError:
        return value
    return inner if isinstance(inner, str) else value


def _one_line(text: str) -> str:
    flat = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return flat if len(flat) <= 160 else f"{flat[:159]}…"

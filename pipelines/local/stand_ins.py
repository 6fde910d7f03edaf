"""What stands in for the world: the entries of the handlers file, looked up.

The file is read and checked elsewhere (it is YAML); here it is plain data with absolute paths. What
is missing is told with the lines to add.
"""

from __future__ import annotations

import fnmatch
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipelines.definition.durations import seconds

Scalar = str | int | float | bool

# Kinds that the runner interprets itself: nothing can stand in for them.
INTERPRETED = frozenset({"Condition", "Fail", "ForEach", "Cleanup", "Lineage"})


@dataclass(frozen=True)
class StandIn:
    """What is done in place of a step, a Lambda function, a queue or a container.

    Either ``function`` is set, or the rest holds recorded values.

    Attributes:
        name: how the file calls what it stands for: ``lambdas.judge``.
        function: ``module:callable``; empty where values were recorded.
        folder: the folder that the module stands in.
        seconds: the function's time limit; None for none.
        outputs: OutputParameters by name.
        properties: members of the Describe response.
        files: local files or folders by the output's name, or the S3 URI, that they become.
    """

    name: str
    function: str = ""
    folder: Path | None = None
    seconds: float | None = None
    outputs: Mapping[str, Scalar] = field(default_factory=dict)
    properties: Mapping[str, Any] = field(default_factory=dict)
    files: Mapping[str, Path] = field(default_factory=dict)


@dataclass(frozen=True)
class Artefact:
    """A model or package that exists elsewhere, here from a file or folder.

    Attributes:
        name: the model's name, or the package's ARN or ``GROUP/VERSION``.
        data: the file or folder with its artefact.
        image: the image that serves it; may be empty.
        environment: the container's variables.
    """

    name: str
    data: Path
    image: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)


class StandIns:
    """Looks up what stands in for something.

    Args:
        entries: by key (``steps``, ``lambdas``, …) and name, as the handlers file has them, its
            paths absolute.
        file: the file to which missing entries would be added; for messages.
    """

    def __init__(
        self,
        entries: Mapping[str, Mapping[str, Mapping[str, Any]]] | None = None,
        file: Path | None = None,
    ) -> None:
        self._entries = entries or {}
        self.file = file or Path("local.yaml")

    def step(self, name: str, kind: str) -> StandIn | None:
        """Return what stands in for a step: by its name, else by its API type.

        A ForEach's rounds are looked up by the name in the body too: ``fold-3`` as ``fold``.
        """
        if kind in INTERPRETED:
            return None
        body, _, digits = name.rpartition("-")
        names = (name, body) if body and digits.isdigit() else (name,)
        return self._first("steps", names) or self._first("types", (kind,))

    def function(self, arn: str) -> StandIn | None:
        """Return what stands in for a Lambda function: by its ARN, its name and version, its name.

        Args:
            arn: ``arn:aws:lambda:REGION:ACCOUNT:function:NAME[:VERSION]``, or the name alone.
        """
        name = arn.partition(":function:")[2] or arn
        plain = name.partition(":")[0]
        return self._first("lambdas", (arn, name, plain))

    def queue(self, url: str) -> StandIn | None:
        """Return what answers for a Callback's queue: by its URL, else its name."""
        return self._first("callbacks", (url, url.rstrip("/").rpartition("/")[2]))

    def image(self, uri: str) -> StandIn | None:
        """Return what stands in for a container image: by its URI or its name, ``*`` allowed."""
        name = uri.partition("@")[0]
        tagless = name.rpartition(":")[0] if ":" in name.rpartition("/")[2] else name
        short = tagless.rpartition("/")[2]
        for pattern, entry in self._entries.get("images", {}).items():
            if any(fnmatch.fnmatchcase(each, pattern) for each in (uri, name, tagless, short)):
                return _stand_in(f"images.{pattern}", entry)
        return None

    def model(self, name: str) -> Artefact | None:
        """Return the artefact of a model that no step of a run here made."""
        return self._artefact("models", (name,))

    def package(self, arn: str) -> Artefact | None:
        """Return the artefact of a model package: by its ARN, else by ``GROUP/VERSION``."""
        return self._artefact("packages", (arn, arn.partition(":model-package/")[2]))

    @property
    def external(self) -> dict[str, Path]:
        """The local files and folders that stand for S3 prefixes, by prefix."""
        return {
            uri.rstrip("/"): Path(entry["path"])
            for uri, entry in self._entries.get("s3", {}).items()
        }

    def advice(self, what: str, key: str, name: str, example: object) -> str:
        """Say that nothing stands in for something, with the three lines to add.

        Args:
            what: what is missing: ``the Lambda function `judge```.
            key: the key of the file: ``lambdas``.
            name: the entry's name.
            example: what could be written there: text, or a map.
        """
        return (
            f"nothing stands in for {what} on this machine; add to {_shown(self.file)}:\n"
            f"  {key}:\n"
            f"    {_yaml(name)}:\n"
            f"      {_yaml(example)}"
        )

    def _first(self, key: str, names: Iterable[str]) -> StandIn | None:
        entries = self._entries.get(key, {})
        found = next((name for name in names if name in entries), None)
        return None if found is None else _stand_in(f"{key}.{found}", entries[found])

    def _artefact(self, key: str, names: Iterable[str]) -> Artefact | None:
        entries = self._entries.get(key, {})
        found = next((name for name in names if name and name in entries), None)
        if found is None:
            return None
        entry = entries[found]
        variables = {str(k): str(v) for k, v in (entry.get("environment") or {}).items()}
        return Artefact(found, Path(entry["data"]), str(entry.get("image", "")), variables)


def _stand_in(name: str, entry: Mapping[str, Any]) -> StandIn:
    timeout = entry.get("timeout")
    return StandIn(
        name=name,
        function=str(entry.get("function", "")),
        folder=Path(entry["folder"]) if "folder" in entry else None,
        seconds=seconds(str(timeout)) if timeout is not None else None,
        outputs=entry.get("outputs") or {},
        properties=entry.get("properties") or {},
        files={str(key): Path(path) for key, path in (entry.get("files") or {}).items()},
    )


def _yaml(value: object) -> str:
    """Write a value as YAML on one line; JSON is YAML where quotes are needed."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_yaml(k)}: {_yaml(v)}" for k, v in value.items()) + "}"
    text = value if isinstance(value, str) else json.dumps(value)
    plain = text and all(c.isalnum() or c in "-_./" for c in text) and text[0] not in "-."
    if isinstance(value, str) and (not plain or text.lower() in ("true", "false", "null")):
        return json.dumps(text)
    return text


def _shown(path: Path) -> str:
    try:
        relative = path.resolve().relative_to(Path.cwd())
    except ValueError:
        return str(path)
    return str(relative)

"""The files beside a definition that one of its steps takes: its code, and Clarify's configuration.

A kind that is asked to publish such a file while a step is fitted gets the place on S3 that the
file was fetched from. So a step with `code` is found by trying, like any other.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipelines.importer.code_places import CodePlace, code_places, config_place
from pipelines.importer.fetching import Fetched
from steps._clarify import FORMATS
from steps._contract import Code

_SUBMITTED = (
    "sagemaker_submit_directory",
    "sagemaker_program",
    "sagemaker_container_log_level",
    "sagemaker_region",
)
"""What script mode puts among the hyperparameters; among variables in capitals."""


@dataclass(frozen=True)
class Beside:
    """What was fetched of what one step names.

    Args:
        folder: where the files lie.
        uris: where they come from, by their paths below the folder.
        place: the code that the step runs.
        config, config_uri: a Clarify check's configuration, and where it comes from.
    """

    folder: Path = Path()
    uris: Mapping[str, str] = field(default_factory=dict)
    place: CodePlace | None = None
    config: Any = None
    config_uri: str = ""

    def path_of(self, uri: Any) -> str:
        """Return the file or folder that was fetched from a URI; empty for none."""
        return next((path for path, each in self.uris.items() if each == uri), "")

    def code(self, value: Any) -> Code | None:
        """Return a code field as it is published: where it was fetched from."""
        is_folder = isinstance(value, Mapping)
        path = str(value.get("dir") if is_folder else value)
        uri = self.uris.get(path)
        if uri is None:
            return None
        entry = str(value.get("entry")) if is_folder else path.rsplit("/", 1)[-1]
        return Code(uri, uri, entry, (self.folder / path / "requirements.txt").is_file())

    def document(self, content: bytes) -> str:
        """Return where a document was fetched from; empty where it says something else."""
        return self.config_uri if self.config and json.loads(content) == self.config else ""

    def guesses(self, guessed: Mapping[str, Any]) -> dict[str, Any]:
        """Return the fields of a step that has its code beside it; none where it has no such.

        Args:
            guessed: its fields without.
        """
        containers = guessed.get("containers")
        if isinstance(containers, list):
            coded = [self._container(each) for each in containers]
            return {} if coded == containers else {**guessed, "containers": coded}
        path = self.path_of(self.place.uri) if self.place else ""
        if self.place is None or not path or not self.place.program:
            return {}
        made = {"code": self._code(path, self.place.program), **guessed}
        if self.place.where.startswith("inputs."):
            name = self.place.where.removeprefix("inputs.")
            made["inputs"] = {k: v for k, v in (guessed.get("inputs") or {}).items() if k != name}
            made["command"] = _before_program(guessed.get("command"))
        elif isinstance(guessed.get("hyperparameters"), Mapping):
            made["hyperparameters"] = _plain_values(guessed["hyperparameters"])
        if isinstance(guessed.get("environment"), Mapping):
            made["environment"] = _own_variables(guessed["environment"])
        return made

    def _code(self, path: str, program: str) -> Any:
        is_folder = (self.folder / path).is_dir()
        return {"dir": path, "entry": program} if is_folder else path

    def _container(self, given: Any) -> Any:
        """Return one of several containers with the serving code that is beside the definition."""
        variables = given.get("environment") if isinstance(given, Mapping) else None
        if not isinstance(variables, Mapping):
            return given
        path = self.path_of(variables.get("SAGEMAKER_SUBMIT_DIRECTORY"))
        program = variables.get("SAGEMAKER_PROGRAM")
        if not path or not isinstance(program, str):
            return given
        code = self._code(path, program)
        return {**given, "code": code, "environment": _own_variables(variables)}

    def config_guesses(self) -> dict[str, Any]:
        """Return the fields of a Clarify check that say its configuration."""
        if self.config is None:
            return {}
        config = dict(self.config)
        names = {value: name for name, value in FORMATS.items()}
        form = names.get(str(config.get("dataset_type")))
        if form is not None:
            del config["dataset_type"]
        return {"config": config, **({"dataset": {"format": form}} if form else {})}


NOTHING = Beside()
"""Nothing was fetched."""


def beside(fetched: Fetched, step: Mapping[str, Any]) -> Beside:
    """Return what was fetched of what a step names.

    Args:
        step: its object in the definition.
    """
    places = [place for place in code_places(step) if place.uri in fetched.paths]
    uri = config_place(step)
    return Beside(
        fetched.folder,
        {fetched.paths[place.uri]: place.uri for place in places},
        next((place for place in places if place.program), None),
        fetched.documents.get(uri),
        uri,
    )


def _before_program(words: Any) -> list[Any]:
    """Return the words before a program, without those that install its requirements first."""
    before = list(words)[:-1] if isinstance(words, list) else []
    return before[4:] if before[:2] == ["/bin/bash", "-c"] else before


def _own_variables(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return a container's variables without those that name its code."""
    capitals = [name.upper() for name in _SUBMITTED]
    return {name: value for name, value in given.items() if name not in capitals}


def _plain_values(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return script-mode hyperparameters as values; JSON's null stays text, in the request."""
    values = {n: _decoded(value) for n, value in given.items() if n not in _SUBMITTED}
    return {name: value for name, value in values.items() if not _holds_null(value)}


def _holds_null(value: Any) -> bool:
    if isinstance(value, (Mapping, list)):
        items = value.values() if isinstance(value, Mapping) else value
        return any(_holds_null(item) for item in items)
    return value is None


def _decoded(value: Any) -> Any:
    """Return the value of a script-mode hyperparameter, which is JSON."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value

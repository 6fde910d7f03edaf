"""The user's own scripts: one for every record, one for the end.

Source: Amazon SageMaker Developer Guide, "Preprocessing and Postprocessing".
"""

from __future__ import annotations

import importlib.util
import inspect
import logging
import traceback
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from .problems import UserError
from .tables import Preprocessor, Record

PREPROCESS, POSTPROCESS = "preprocess_handler", "postprocess_handler"


def load_function(path: str, name: str) -> Any:
    """Load a script and return its function.

    Raises:
        UserError: the script is missing, fails, or has no such function.
    """
    file = Path(path)
    if not file.is_file():
        raise UserError(f"the script {file.name} is not there")
    specification = importlib.util.spec_from_file_location(file.stem, file)
    if specification is None or specification.loader is None:
        raise UserError(f"{file.name} is no Python script")
    module = importlib.util.module_from_spec(specification)
    try:
        specification.loader.exec_module(module)
    except Exception as error:  # noqa: BLE001 - whatever a user's script raises
        traceback.print_exc()
        raise UserError(f"{file.name}: {type(error).__name__}: {error}") from None
    function = getattr(module, name, None)
    if not callable(function):
        raise UserError(f"{file.name} has no function `{name}`")
    return function


def preprocessor(path: str) -> Preprocessor:
    """Return what calls a script's function for a record, and makes rows of its answer."""
    function = load_function(path, PREPROCESS)
    more = [logging.getLogger(PREPROCESS)] if _takes_logger(function) else []

    def call(record: Record) -> Iterable[Mapping[str, Any]]:
        try:
            answer = function(record, *more)
        except Exception as error:  # noqa: BLE001 - whatever a user's script raises
            traceback.print_exc()
            raise UserError(f"{PREPROCESS}: {type(error).__name__}: {error}") from None
        return _rows(answer)

    return call


def _takes_logger(function: Any) -> bool:
    """Whether a function has room for the logger that the image offers it."""
    return len(inspect.signature(function).parameters) > 1


def _rows(answer: Any) -> list[Mapping[str, Any]]:
    """Make rows of an answer: a map is one, a list of maps several; nothing leaves a record out."""
    if answer is None:
        return []
    if isinstance(answer, Mapping):
        return [{_name(key): value for key, value in answer.items()}]
    if isinstance(answer, (list, tuple)):
        if all(isinstance(item, Mapping) for item in answer):
            return [row for item in answer for row in _rows(item)]
        return [{f"_c{n}": value for n, value in enumerate(answer)}]
    raise UserError(f"{PREPROCESS} returned {type(answer).__name__}, no map and no list")


def _name(key: object) -> str:
    """Name a column; one that is called by its number is called as the image calls it."""
    return f"_c{key}" if isinstance(key, int) else str(key)


def postprocess(path: str) -> None:
    """Call the script for the end; the files of the analysis are written already."""
    function = load_function(path, POSTPROCESS)
    try:
        function(*([logging.getLogger(POSTPROCESS)] if _takes_any(function) else []))
    except Exception as error:  # noqa: BLE001 - whatever a user's script raises
        traceback.print_exc()
        raise UserError(f"{POSTPROCESS}: {type(error).__name__}: {error}") from None


def _takes_any(function: Any) -> bool:
    return bool(inspect.signature(function).parameters)

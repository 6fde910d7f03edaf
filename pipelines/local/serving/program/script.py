"""A user's script: ``model_fn``, ``input_fn``, ``predict_fn``, ``output_fn``, ``transform_fn``.

Source: SageMaker Python SDK, "Using Scikit-learn with the SageMaker Python SDK", "SageMaker
Scikit-learn Model Server"; the same functions serve in the other framework images.
"""

from __future__ import annotations

import importlib.util
import inspect
import os
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

from . import formats
from .refusals import Refused

UTF8_TYPES = (formats.JSON, formats.CSV)
"""Types whose body a script gets as text; others come as bytes. Source: the toolkits' README."""


class Script:
    """The user's functions, with the images' defaults for those that are missing.

    Args:
        folder: where the code is.
        name: the script in it.
        model_folder: the unpacked model.

    Raises:
        SystemExit: the script cannot serve; the text says why.
    """

    def __init__(self, folder: str, name: str, model_folder: str) -> None:
        module = _load(folder, name)
        self._name = name
        self._transform = getattr(module, "transform_fn", None)
        self._input = getattr(module, "input_fn", None)
        self._predict = getattr(module, "predict_fn", None)
        self._output = getattr(module, "output_fn", None)
        model_fn = getattr(module, "model_fn", None)
        if model_fn is None:
            sys.exit(f"{name} defines no model_fn(model_dir), which loads the model")
        self._model = _call(model_fn, model_folder)

    def answer(self, body: bytes, content_type: str, accept: str) -> tuple[bytes, str]:
        """Make the prediction for one request; return it and its type.

        Raises:
            Refused: the request gets none.
        """
        given: str | bytes = body
        if formats.media_type(content_type) in UTF8_TYPES:
            given = formats.text_of(body)
        if self._transform is not None:
            made = self._guarded(
                "transform_fn",
                content_type,
                self._transform,
                self._model,
                given,
                content_type,
                accept,
            )
            return _body_and_type(made, accept)
        if self._input is not None:
            data = self._guarded("input_fn", content_type, self._input, given, content_type)
        else:
            data = formats.decode(body, content_type)
        if self._predict is not None:
            prediction = self._guarded("predict_fn", "", self._predict, data, self._model)
        else:
            prediction = self._guarded("predict", "", _predict, data, self._model)
        if self._output is not None:
            made = self._guarded("output_fn", "", self._output, prediction, accept)
            return _body_and_type(made, accept)
        return formats.encode(prediction, accept)

    def _guarded(
        self, name: str, content_type: str, function: Callable[..., Any], *arguments: Any
    ) -> Any:
        """Call a function of the user's and tell whose fault an error is.

        **[U]** The images answer 500 to every error of a script. Here a script's own status is
        taken (``status_code`` of the toolkits' errors); an error of ``input_fn`` is the request's
        fault: 415 where it names the content type, else 400; a ValueError elsewhere too, 400.
        """
        try:
            return _call(function, *arguments)
        except Refused:
            raise
        except Exception as error:  # the user's code may raise anything
            text = f"{type(error).__name__}: {error}"
            own = getattr(error, "status_code", None)
            if isinstance(own, int) and 400 <= own < 600:
                raise Refused(own, f"{name}: {text}") from error
            kind = formats.media_type(content_type)
            if kind and (kind in text or type(error).__name__.startswith("Unsupported")):
                raise Refused(415, f"{name}: {text}") from error
            if name == "input_fn" or isinstance(error, ValueError):
                raise Refused(400, f"{name}: {text}") from error
            raise Refused(500, f"{name}: {text}") from error


def _load(folder: str, name: str) -> ModuleType:
    """Import the script; its folder comes first on the path, as in the images."""
    sys.path.insert(0, folder)
    path = os.path.join(folder, name)  # noqa: PTH118 - text that may be rewritten by the isolation
    module_name = (name.removesuffix(".py")).replace("/", ".")
    spec = importlib.util.spec_from_file_location(module_name, path)
    if spec is None or spec.loader is None:
        sys.exit(f"{name} is no Python script")
    module = importlib.util.module_from_spec(spec)
    sys.modules[module_name] = module
    spec.loader.exec_module(module)
    return module


def _call(function: Callable[..., Any], *arguments: Any) -> Any:
    """Call a function; one that takes an argument more gets None for the toolkits' context."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return function(*arguments)
    places = [each for each in parameters if each.kind in (each.POSITIONAL_ONLY,
              each.POSITIONAL_OR_KEYWORD) and each.default is each.empty]  # fmt: skip
    more = [None] if len(places) == len(arguments) + 1 else []
    return function(*arguments, *more)


def _predict(data: Any, model: Any) -> Any:
    return model.predict(data)


def _body_and_type(made: Any, accept: str) -> tuple[bytes, str]:
    """Return what a script made as bytes: (body, type), a toolkit's Response, or the body alone."""
    kind = accept.partition(",")[0].strip()
    if isinstance(made, tuple) and len(made) == 2:
        made, kind = made[0], str(made[1])
    elif hasattr(made, "response") and hasattr(made, "mimetype"):
        made, kind = made.response, str(made.mimetype)
    if isinstance(made, str):
        return made.encode(), kind
    if isinstance(made, (bytes, bytearray, memoryview)):
        return bytes(made), kind
    return formats.encode(made, kind)

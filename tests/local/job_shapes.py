"""The API's own judgement of a response."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.validate import ParamValidator


@functools.cache
def _service() -> ServiceModel:
    return ServiceModel(Loader().load_service_model("sagemaker", "service-2"), "sagemaker")


def judge(operation: str, answer: Mapping[str, Any]) -> None:
    """Fail unless an answer has the shape of the operation's response, enums included."""
    shape = _service().operation_model(operation).output_shape
    report = ParamValidator().validate(dict(answer), shape)
    assert not report.has_errors(), report.generate_report()
    _enums(shape, answer, operation)


def _enums(shape: Any, value: Any, path: str) -> None:
    if shape.type_name == "structure":
        unknown = set(value) - set(shape.members)
        assert not unknown, f"{path}: the response has no member {sorted(unknown)}"
        for name in value:
            _enums(shape.members[name], value[name], f"{path}.{name}")
    elif shape.type_name == "list":
        for number, each in enumerate(value):
            _enums(shape.member, each, f"{path}[{number}]")
    elif shape.type_name == "string" and shape.enum:
        assert value in shape.enum, f"{path}: {value!r} is none of {shape.enum}"

"""Every member of a request that botocore's model knows, each with a value that the model takes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from botocore.model import Shape
from shapes_of_requests import limits, text_problems

Path = tuple[str, ...]
"""Names of members; ``[]`` is an item of a list, ``{}`` a value of a map."""

TEXTS = (
    "a",
    "a-name",
    "1",
    "1.0",
    "1.0.0",
    "4K",
    "text/csv",
    "s3://bucket/key",
    "s3://bucket/key.tar.gz",
    "s3://bucket/key/",
    "https://bucket.example.com/key",
    "/opt/ml/place",
    "/place",
    "arn:aws:iam::111122223333:role/role",
    "arn:aws:sagemaker:eu-west-1:111122223333:model-package/group/1",
    "arn:aws:sagemaker:eu-west-1:111122223333:hub-content/hub/Model/name/1.0.0",
    "arn:aws:sagemaker:eu-west-1:111122223333:hub-content/hub/DataSet/name/1.0.0",
    "arn:aws:sagemaker:eu-west-1:111122223333:model-package-group/group",
    "arn:aws:sagemaker:eu-west-1:111122223333:mlflow-tracking-server/name",
    "arn:aws:lambda:eu-west-1:111122223333:function:name",
    "arn:aws:kms:eu-west-1:111122223333:key/1",
    "arn:aws:redshift:eu-west-1:111122223333:cluster/name",
    "arn:aws:glue:eu-west-1:111122223333:catalog",
    "111122223333.dkr.ecr.eu-west-1.amazonaws.com/team/image:1",
    "arn:aws:sagemaker:eu-west-1:111122223333:training-plan/name",
    "arn:aws:sagemaker:eu-west-1:111122223333:inference-component/name",
    "arn:aws:sagemaker:eu-west-1:111122223333:hub/name",
    "fs-0123456789abcdef0",
    "sg-0a1b2c3d",
    "subnet-0a1b2c3d",
    "ml.m5.large",
    "us-east-1",
    "{}",
    "sha256:" + "0" * 64,
    "0" * 32,
    "model_1",
    "Accuracy",
)


class NoSample(Exception):
    """No text at hand fits a shape."""


def text_of(shape: Shape) -> str:
    """A text that the shape takes."""
    if shape.enum:
        return str(shape.enum[0])
    for text in TEXTS:
        if not list(text_problems(text, shape)):
            return text
    raise NoSample(f"{shape.name}: {dict(shape.metadata)}")


def least(shape: Shape) -> Any:
    """The smallest value that a shape takes."""
    kind = shape.type_name
    if kind == "structure":
        wanted = list(shape.required_members)
        if not wanted and shape.is_tagged_union:
            wanted = list(shape.members)[:1]
        return {name: least(shape.members[name]) for name in wanted}
    if kind == "list":
        return [least(shape.member)] * max(1, int(shape.metadata.get("min", 1)))
    if kind == "map":
        return {text_of(shape.key): least(shape.value)}
    if kind == "string":
        return text_of(shape)
    if kind == "boolean":
        return True
    if kind == "timestamp":
        return "2030-01-01T00:00:00Z"
    number = shape.metadata.get("min", 1)
    value = number if kind in ("float", "double") else int(number)
    assert not list(limits(value, shape, "")), shape
    return value


def members(shape: Shape, above: tuple[str, ...] = ()) -> Iterator[tuple[Path, Any]]:
    """Yield every member below a shape, each in the smallest value that has it."""
    if shape.name in above:
        return  # a shape within itself
    above = (*above, shape.name)
    if shape.type_name == "structure":
        base = least(shape)
        for name, member in shape.members.items():
            others = {} if shape.is_tagged_union else base
            yield (name,), {**others, name: least(member)}
            for path, value in members(member, above):
                yield (name, *path), {**others, name: value}
    elif shape.type_name == "list":
        for path, value in members(shape.member, above):
            count = max(1, int(shape.metadata.get("min", 1)))
            yield ("[]", *path), [value, *[least(shape.member)] * (count - 1)]
    elif shape.type_name == "map":
        for path, value in members(shape.value, above):
            yield ("{}", *path), {text_of(shape.key): value}

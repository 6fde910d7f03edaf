"""CloudFormation's functions in a template that holds a definition.

What is known only when the stack is made becomes a variable of the definition (``vars``), with the
template's default for its value.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pipelines.errors import UsageError
from pipelines.importer.words import VARIABLE

MAX_TEXT = 8_000_000
"""So many characters the functions of a template may make in all; definitions end far below."""

_VARIABLE = re.compile(r"\$\{(!?)([^}]*)\}")
_ACCOUNT = "111122223333"
_PSEUDO = {
    "AWS::Region": "us-east-1",
    "AWS::AccountId": _ACCOUNT,
    "AWS::Partition": "aws",
    "AWS::URLSuffix": "amazonaws.com",
    "AWS::StackName": "stack",
    "AWS::StackId": f"arn:aws:cloudformation:us-east-1:{_ACCOUNT}:stack/stack/1",
}
"""Stand-ins for what CloudFormation knows; the account is AWS's own for examples."""


class Intrinsics:
    """Resolves the functions of one template.

    Attributes:
        variables: what could not be resolved, by the name of its variable, with a value to begin
            with.
    """

    def __init__(self) -> None:
        self.variables: dict[str, str] = {}
        self._parameters: Mapping[str, Any] = {}
        self._resources: Mapping[str, Any] = {}
        self._made = 0

    def learn(self, document: Any) -> None:
        """Remember a template's parameters and resources."""
        if isinstance(document, Mapping) and isinstance(document.get("Resources"), Mapping):
            self._resources = document["Resources"]
            parameters = document.get("Parameters")
            self._parameters = parameters if isinstance(parameters, Mapping) else {}

    @property
    def remarks(self) -> tuple[str, ...]:
        """What the reader must know of the variables."""
        if not self.variables:
            return ()
        return (
            "The template's parameters and resources are variables here: set those under `vars`, "
            "or give them with --var.",
        )

    def resolve(self, value: Any) -> Any:
        """Return a value with the template's functions resolved as far as they can be.

        Raises:
            UsageError: they make more text of it than any definition has.
        """
        if isinstance(value, list):
            return [self.resolve(item) for item in value]
        if not isinstance(value, Mapping):
            return value
        if len(value) == 1:
            ((name, body),) = value.items()
            if name == "Ref" and isinstance(body, str):
                return self._variable(body)
            if name == "Fn::GetAtt":
                parts = body if isinstance(body, list) else str(body).split(".", 1)
                return self._variable(".".join(map(str, parts)))
            if name == "Fn::Sub":
                return self._substituted(body)
            if name == "Fn::Join" and isinstance(body, list) and len(body) == 2:
                parts = self.resolve(body[1])
                if isinstance(parts, list) and isinstance(body[0], str):
                    texts = [str(part) for part in parts]
                    self._count(sum(map(len, texts)) + len(body[0]) * len(texts))
                    return body[0].join(texts)
            if name in ("Fn::ImportValue", "Fn::Select", "Fn::FindInMap", "Fn::If", "Fn::Base64"):
                return self._variable(f"{name.removeprefix('Fn::')}.{len(self.variables) + 1}")
            if name == "Fn::ToJsonString":
                return self.resolve(body)
        return {str(name): self.resolve(item) for name, item in value.items()}

    def _substituted(self, body: Any) -> Any:
        own: Mapping[str, Any] = {}
        if isinstance(body, list) and len(body) == 2 and isinstance(body[1], Mapping):
            body, own = body[0], body[1]
        if not isinstance(body, str):
            return self.resolve(body)

        def put(match: re.Match[str]) -> str:
            literal, name = match.groups()
            if literal:
                return "${" + name + "}"
            if name in own and name not in known:
                known[name] = str(self.resolve(own[name]))
            text = known[name] if name in own else self._variable(name.strip())
            self._count(len(text))
            return text

        known: dict[str, str] = {}
        return _VARIABLE.sub(put, body)

    def _count(self, characters: int) -> None:
        self._made += characters
        if self._made > MAX_TEXT:
            raise UsageError(
                f"the functions of the template make more than {MAX_TEXT:,} characters of text",
                "import what CloudFormation makes of it: "
                "`aws sagemaker describe-pipeline --pipeline-name NAME | sagedag import -`",
            )

    def _variable(self, name: str) -> str:
        """Return the text that stands for a variable, and remember the variable."""
        key = re.sub(r"[^A-Za-z0-9_]+", "_", name).strip("_") or "value"
        key = key if key[0].isalpha() or key[0] == "_" else f"_{key}"
        self.variables.setdefault(key, self._value(name))
        return VARIABLE.format(key)

    def _value(self, name: str) -> str:
        if name in _PSEUDO:
            return _PSEUDO[name]
        parameter = self._parameters.get(name)
        if isinstance(parameter, Mapping) and isinstance(
            parameter.get("Default"), (str, int, float)
        ):
            return str(parameter["Default"])
        resource, _, attribute = name.partition(".")
        known = self._resources.get(resource)
        kind = str(known.get("Type", "")) if isinstance(known, Mapping) else ""
        if "Role" in kind or (attribute == "Arn" and "ole" in resource) or name.endswith("RoleArn"):
            return f"arn:aws:iam::{_ACCOUNT}:role/{resource}"
        if kind == "AWS::Lambda::Function" and attribute == "Arn":
            return f"arn:aws:lambda:us-east-1:{_ACCOUNT}:function:{resource}"
        if kind == "AWS::SQS::Queue" and not attribute:
            return f"https://sqs.us-east-1.amazonaws.com/{_ACCOUNT}/{resource}"
        return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "value"

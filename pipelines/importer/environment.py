"""The environment that an imported definition was written for, as far as its literals tell."""

from __future__ import annotations

import re
from collections import Counter, deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from pipelines.language.diagnostics import InvalidDefinition, Report
from pipelines.language.environments import LOCAL, choose_environment
from pipelines.language.project import Project
from pipelines.service.image_origins import is_framework, region_of
from steps._contract import Environment

_REGION_NAME = "([a-z]{2}(?:-[a-z]+)+-[0-9])"
_ROLE = re.compile(r"arn:aws[a-z-]*:iam::([0-9]{12}):role/[\w+=,.@/-]+")
_ARN = re.compile(rf"arn:aws[a-z-]*:[a-z0-9-]+:{_REGION_NAME}:([0-9]{{12}}):")
_IMAGE = re.compile(rf"[0-9]{{12}}\.dkr\.ecr\.{_REGION_NAME}\.")
_BUCKET = re.compile(r"s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:/|$)")
_DEFAULT_BUCKET = re.compile(rf"s3://sagemaker-{_REGION_NAME}-([0-9]{{12}})(?:/|$)")
"""The bucket that the SageMaker SDK makes for a session."""
_PUBLISHED = re.compile(r"s3://([^/]+)(?:/(.+?))?/assets/sha256/[0-9a-f]{64}/")
"""Code that `sagedag` published, below an environment's bucket and prefix."""

NAME = "aws"
"""What the suggested environment is called."""


@dataclass(frozen=True)
class Suggested:
    """An environment, as far as it is known; empty texts for the rest."""

    account: str = ""
    region: str = ""
    role: str = ""
    bucket: str = ""
    prefix: str = ""

    def entry(self) -> dict[str, str]:
        """Return the environment's entry in ``environments.yaml``."""
        return {name: value for name, value in vars(self).items() if value}

    def environment(self, *, kept: bool) -> Environment:
        """Return it to check with; what is not known is as in ``local``.

        Args:
            kept: whether it is written to a file; of one that is not, only the region is taken.
        """
        if kept:
            known: dict[str, Any] = self.entry()
            return replace(LOCAL, name=NAME, **known)
        return replace(LOCAL, region=self.region or LOCAL.region)


def suggest_environment(definition: Mapping[str, Any], role: str = "", arn: str = "") -> Suggested:
    """Return the environment whose account, region, role and bucket a definition names most.

    The bucket, and its prefix, are those where `sagedag` published code, if any is named.

    Args:
        role, arn: the pipeline's own, where they are known.
    """
    roles: Counter[str] = Counter()
    images: Counter[str] = Counter()
    regions: Counter[str] = Counter()
    buckets: Counter[str] = Counter()
    accounts: Counter[str] = Counter()
    published: Counter[tuple[str, str]] = Counter()
    for text in _texts(definition):
        roles.update(match[0] for match in _ROLE.finditer(text))
        images.update(match[1] for match in _IMAGE.finditer(text))
        buckets.update(match[1] for match in _BUCKET.finditer(text))
        published.update((match[1], match[2] or "") for match in _PUBLISHED.finditer(text))
        for pattern in (_ARN, _DEFAULT_BUCKET):
            for match in pattern.finditer(text):
                regions[match[1]] += 1
                accounts[match[2]] += 1
    chosen = role if _ROLE.fullmatch(role) else _first(roles)
    owner, own = _ROLE.fullmatch(chosen), _ARN.match(arn)
    account = own[2] if own else owner[1] if owner else _first(accounts)
    # Jobs take images of their own region only; functions and queues may lie elsewhere.
    region = own[1] if own else _first(images) or _first(regions)
    bucket, prefix = next(iter(published.most_common(1)), ((_first(buckets), ""), 0))[0]
    return Suggested(account, region, chosen, bucket, prefix)


def fitting_environment(suggested: Suggested, project: Project) -> str:
    """Return the project's environment that fits best what a definition tells; else ``local``.

    It must have the region that is told, and the account where both are known. Of several the one
    with the same role is taken.
    """
    try:
        names = choose_environment(LOCAL.name, project, Report()).names
        known = [choose_environment(name, project, Report()).environment for name in names]
    except InvalidDefinition:
        return LOCAL.name
    fitting = [
        each
        for each in known
        if each.name != LOCAL.name
        and each.region == suggested.region
        and each.account in ("", suggested.account or each.account)
    ]
    if len(fitting) > 1:
        fitting = [each for each in fitting if each.role == suggested.role]
    return fitting[0].name if len(fitting) == 1 else LOCAL.name


def framework_regions(definition: Mapping[str, Any]) -> set[str]:
    """Return the regions of the images of AWS's frameworks that a definition names."""
    return {region_of(text) for text in _texts(definition) if is_framework(text)}


def _first(counts: Counter[str]) -> str:
    return counts.most_common(1)[0][0] if counts else ""


def _texts(value: Any) -> Iterator[str]:
    waiting = deque([value])
    while waiting:
        each = waiting.popleft()
        if isinstance(each, str):
            yield each
        elif isinstance(each, Mapping):
            waiting += each.values()
        elif isinstance(each, list):
            waiting += each

"""Images of AWS's frameworks: from their addresses back to `{framework, version}`."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pipelines.language.image_addresses import image_address
from pipelines.service.image_origins import Origin, origins, region_of
from steps._expressions import ParameterRef

_INSTANCES = ("ml.m5.large", "ml.g5.xlarge", "ml.m6g.large", "ml.inf2.xlarge", "ml.trn1.2xlarge")
"""Types that stand for their processors, where an image is for another than the step's own."""
_ORDER = ("framework", "version", "py_version", "scope", "instance", "base_framework")


@dataclass(frozen=True)
class Images:
    """The images of one region, as steps of one definition ask for them.

    Args:
        region: whose addresses have a short form; empty for none.
        defaults: the parameters' defaults, which tell instance types.
    """

    region: str = ""
    defaults: Mapping[str, Any] = field(default_factory=dict)

    def address(self, image: Any, scope: str, instance: Any) -> Any:
        """Return the address of an image in short form; any other as it is, an unknown one too."""
        if not isinstance(image, Mapping) or not self.region:
            return image
        found = image_address(image, scope, self._known(instance), self.region)
        return found if isinstance(found, str) else image

    def short(self, address: Any, scope: str, instance: Any) -> dict[str, str] | None:
        """Return the shortest form that gives exactly an address; None where there is none."""
        if not self.region or region_of(address) != self.region:
            return None
        tried = [form for origin in origins(address) for form in _forms(origin)]
        for form in sorted(tried, key=len):  # the order of equals stays
            if self.address(form, scope, instance) == address:
                return {key: form[key] for key in _ORDER if key in form}
        return None

    def _known(self, instance: Any) -> str | None:
        if isinstance(instance, ParameterRef):
            instance = self.defaults.get(instance.name)
        return instance if isinstance(instance, str) else None


NO_IMAGES = Images()
"""Images of no region: every one stays as it is."""


def _forms(origin: Origin) -> Iterator[dict[str, str]]:
    """Yield the ways to write a release, each with what may have to be said."""
    fixed = {"framework": origin.framework}
    if origin.base:
        fixed["base_framework"] = origin.base
    versions = ("", origin.version) if origin.is_only else (origin.version,)
    for version, python, scope, instance in itertools.product(
        versions, ("", origin.py_version), ("", origin.scope), ("", *_INSTANCES)
    ):
        parts = {"version": version, "py_version": python, "scope": scope, "instance": instance}
        yield {**fixed, **{name: part for name, part in parts.items() if part}}

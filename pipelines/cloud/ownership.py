"""The tags by which this tool knows what it deployed."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import unquote

from pipelines.cloud.wanted import Provenance
from pipelines.tags import KEYS

REPOSITORY = "sagedag:repository"
ENVIRONMENT = "sagedag:environment"
DEFINITION = "sagedag:definition"
"""The definition's file in the project."""
WANTED = "sagedag:wanted"
"""The fingerprint of what the last deploy set out to bring; written before it begins."""
DIGEST = "sagedag:digest"
"""The fingerprint of what the last deploy brought; written when all else is done. Where the
pipeline has another one, somebody else changed it, or a deploy was interrupted (``WANTED``)."""
COMMIT = "sagedag:commit"
TOOL = "sagedag:tool"
VERSION = "sagedag:version"
"""The pipeline version that the last deploy recorded; ``none`` where the API has no versions."""
NO_VERSION = "none"
_LONGEST = 256


def ownership(provenance: Provenance, environment: str, definition: str) -> dict[str, str]:
    """Return the tags that say whose a pipeline is."""
    made = {
        REPOSITORY: fit(provenance.repository),
        ENVIRONMENT: fit(environment),
        DEFINITION: fit(definition),
    }
    return {key: value for key, value in made.items() if value}


def provenance_tags(provenance: Provenance) -> dict[str, str]:
    """Return the tags that say what was deployed; they change with every commit."""
    made = {COMMIT: provenance.revision, TOOL: fit(provenance.tool)}
    return {key: value for key, value in made.items() if value}


def fit(text: str) -> str:
    """Return a text as a tag's value takes it: its letters, digits and ``_.:/=+-@`` and spaces."""
    kept = "".join(c if c.isalnum() or c in " _.:/=+-@" else "_" for c in text)
    return kept if len(kept) <= _LONGEST else kept[:100] + "..." + kept[-150:]


def keys_of(tags: Mapping[str, str]) -> set[str]:
    """Return the keys that an earlier deploy put there for its definition."""
    found: set[str] = set()
    for key, value in tags.items():
        if key == KEYS or key.startswith(f"{KEYS}."):
            found.update(unquote(word.replace("=", "%")) for word in value.split())
    return found


def is_owned(tags: Mapping[str, str], provenance: Provenance, environment: str) -> bool:
    """Whether this repository deployed it in this environment."""
    return tags.get(REPOSITORY) == fit(provenance.repository) and (
        tags.get(ENVIRONMENT) == fit(environment)
    )


def owner(tags: Mapping[str, str]) -> str:
    """Return in words whose a pipeline is; empty where this tool did not deploy it."""
    if REPOSITORY not in tags:
        return ""
    return f"environment `{tags.get(ENVIRONMENT, '?')}` of {tags[REPOSITORY]}"

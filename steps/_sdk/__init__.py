"""The only room that names the SageMaker SDK: requests in, SDK pipeline out, on both majors.

- ``surroundings`` holds network, credentials and the user's settings off while the SDK is at work;
- ``names`` finds the installed SDK and loads its names; ``v3`` and ``v2`` say where each major has
  them;
- ``given`` makes the SDK's step classes take requests that were built before;
- ``lacking`` writes what the installed SDK has no words for;
- ``translation`` turns expressions, steps and pipelines into the SDK's.
"""

from __future__ import annotations

from steps._sdk.names import SdkMissing
from steps._sdk.surroundings import offline
from steps._sdk.translation import build_pipeline

__all__ = ["SdkMissing", "build_pipeline", "offline"]

"""Cleanup: deletes objects that earlier steps left in the local store.

Source: the SDK's ``CleanupStep``: outputs of Training (and Athena) steps are found by the service,
those of Processing and Transform steps are named and must lie below the step's output location.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipelines.errors import ExecutionFailed
from pipelines.local.handlers._contract import Handler, StepContext, StepError, StepResult
from pipelines.local.handlers._jobs import dig, each, texts


class CleanupHandler(Handler):
    """Deletes outputs."""

    api_type = "Cleanup"

    def run(self, request: Mapping[str, Any], context: StepContext) -> StepResult:
        """Delete what is named; the step fails where something could not be.

        [U] A step that left nothing, or never ran, is skipped.
        """
        cleaned: list[str] = []
        skipped: list[str] = []
        failed: list[dict[str, str]] = []
        for source in each(dig(request, "Resources", "S3")):
            name = str(dig(source, "StepName") or "")
            try:
                count = _clean(name, dig(source, "S3Uris"), context)
            except (StepError, ExecutionFailed) as error:
                failed.append({"StepName": name, "ErrorMessage": str(error)[:2048]})
            else:
                (cleaned if count else skipped).append(name)
        metadata = {
            "Cleanup": {"CleanedSteps": cleaned, "FailedSteps": failed, "SkippedSteps": skipped}
        }
        if failed:
            reasons = "; ".join(f"{each['StepName']}: {each['ErrorMessage']}" for each in failed)
            raise StepError(f"not everything could be deleted: {reasons}", metadata)
        return StepResult({}, metadata)


def _clean(name: str, uris: object, context: StepContext) -> int:
    """Delete a step's outputs; return how many objects there were.

    Raises:
        StepError: a URI is not one of the step's.
        ObjectRefused: a URI names nothing that could be deleted.
    """
    places = _places(name, context)
    given = texts(each(uris))
    for uri in given:
        if not any(uri == place or uri.startswith(place.rstrip("/") + "/") for place in places):
            where = ", ".join(places) or "nothing that is known"
            raise StepError(f"{uri} does not lie below the step's outputs ({where})")
    count = 0
    for uri in given or places:
        deleted = context.objects.remove(uri)
        context.say(f"sagedag: deleted {len(deleted)} objects of {name} at {uri}")
        count += len(deleted)
    return count


def _places(name: str, context: StepContext) -> list[str]:
    """Where a step's outputs lie: a Training job's own folder, the others' as requested."""
    request, properties = context.earlier(name)
    model = dig(properties, "ModelArtifacts", "S3ModelArtifacts")
    if isinstance(model, str):
        # <S3OutputPath>/<job>/output/model.tar.gz; the path itself may be shared between jobs.
        return [model.rpartition("/output/")[0] or model]
    found = [
        dig(item, "S3Output", "S3Uri")
        for item in each(dig(request, "ProcessingOutputConfig", "Outputs"))
    ]
    return texts([*found, dig(request, "TransformOutput", "S3OutputPath")])

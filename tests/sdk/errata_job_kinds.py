"""What the published schema lacks of batch transform, tuning and EMR.

The shapes named are those of botocore's service models.
"""

from __future__ import annotations

from errata_arguments import OBJECT, STRING
from schema_patch import DEFINITIONS, Erratum, Witness, additions, step

TRANSFORM = f"{DEFINITIONS}/TransformStep/properties/Arguments/properties"

JOB_KIND_ERRATA: tuple[Erratum, ...] = (
    Erratum(
        "A transform job has more members by now (shape CreateTransformJobRequest).",
        additions(
            TRANSFORM,
            {
                "DataCaptureConfig": OBJECT,
                "ExperimentConfig": {
                    "type": "object",
                    "properties": {"TrialComponentDisplayName": STRING},
                    "additionalProperties": False,
                },
            },
        ),
        Witness(
            "TransformStep",
            step("Transform", {"ExperimentConfig": {"TrialComponentDisplayName": "a"}}),
        ),
    ),
)

"""A pipeline on AWS, described for whoever imports it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pipelines.errors import AwsError

if TYPE_CHECKING:
    from pipelines.importer.sources import Found


def described(name: str, profile: str | None, region: str | None) -> Found:
    """Return the definition of a pipeline on AWS, with what is known beside it.

    Args:
        profile, region: of the command line; else those of the user's variables.

    Raises:
        AwsError: there is no such pipeline, or AWS refused to tell.
    """
    from pipelines.cloud.client import Place, connect
    from pipelines.importer.sources import find_definition

    clients = connect(Place(environment="aws"), profile=profile, region=region)
    answer = clients.call("sagemaker:DescribePipeline", f"pipeline {name}", PipelineName=name)
    tags: list[Any] = []
    remarks: tuple[str, ...] = ()
    arn = answer.get("PipelineArn")
    if arn:
        try:
            what = f"tags of pipeline {name}"
            tags = list(clients.pages("sagemaker:ListTags", what, "Tags", ResourceArn=arn))
        except AwsError:
            remarks = ("The pipeline's tags could not be read.",)
    holder = {**{k: v for k, v in answer.items() if k != "ResponseMetadata"}, "Tags": tags}
    found = find_definition(json.dumps(holder, default=str), name)
    return replace(found, remarks=(*remarks, *found.remarks))

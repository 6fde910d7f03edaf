"""Endpoint: serves models; made where it does not exist, updated where it does.

Request: CreateEndpoint (Amazon SageMaker API Reference). The SDK's ``EndpointStep`` caches it and
retries nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from steps import _fragments as f
from steps import _shared_fields as shared
from steps._contract import Attribute, Context, Field, Kind, NoAttribute, Step
from steps._expressions import PropertyRef
from steps._jobs import Arguments, present, tag_list


class Endpoint(Kind):
    """Serves models."""

    name = "Endpoint"
    api_type = "Endpoint"
    operation = "CreateEndpoint"
    describe = "DescribeEndpointOutput"
    summary = "Create an endpoint, or update the one of that name."
    example = 'endpoint:\n  type: Endpoint\n  name: pulsar\n  config: "${steps.config.name}"\n'
    about = (
        "An endpoint of that name is made, or updated to the new configuration where it exists. "
        "`config` is the configuration's name, usually `${steps.CONFIG.name}`. `deployment` says "
        "how an update shifts traffic and which alarms roll it back, in the API's own names."
    )
    required = ("name", "config")
    cacheable = True
    fields = {
        "name": Field(
            f.text("The endpoint's name; one that exists is updated.", "pulsar"),
            api="EndpointName",
        ),
        "config": Field(
            f.text(
                "The name of its configuration.", "${steps.config.name}", meaning="endpoint-config"
            ),
            api="EndpointConfigName",
        ),
        "deployment": Field(
            {
                "type": "object",
                "description": "How an update shifts traffic and when it is rolled back: the "
                "API's DeploymentConfig, in its own names.",
                "examples": [
                    {
                        "RollingUpdatePolicy": {
                            "MaximumBatchSize": {"Type": "INSTANCE_COUNT", "Value": 1},
                            "WaitIntervalInSeconds": 60,
                        }
                    }
                ],
            },
            api="DeploymentConfig",
            replace=True,
        ),
        "tags": shared.TAGS,
    }

    def attributes(self, step: Step) -> Mapping[str, Sequence[str] | None]:
        """Offer the endpoint's name and the Describe response."""
        del step
        return {"name": [], "properties": None}

    def attribute(self, step: Step, path: tuple[str | int, ...]) -> Attribute | NoAttribute:
        """Resolve ``name``, what an InferenceComponent step wants for its ``endpoint``."""
        if path[0] == "name":
            made = PropertyRef(step.name, ("EndpointName",), meaning="endpoint")
            return Attribute(made, path[1:])
        return super().attribute(step, path)

    def build(self, step: Step, context: Context) -> Arguments:
        """Return the CreateEndpoint arguments."""
        del context
        fields = step.fields
        return {
            **present(
                EndpointName=fields.get("name"),
                EndpointConfigName=fields.get("config"),
                DeploymentConfig=fields.get("deployment"),
            ),
            # The SDK writes an empty list too; leaving it out would show as a change.
            "Tags": tag_list(fields.get("tags")),
        }


KIND = Endpoint()

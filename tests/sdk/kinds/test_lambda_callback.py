"""Lambda and Callback steps equal those of the SDK's classes; nothing is excepted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import botocore
import pytest
from side_by_side import differences, ours, theirs

from steps._contract import Environment
from steps._partitions import arn, partition_of, queue_url

DEFINITION = """
parameters: {Limit: 0.9}
steps:
  named:
    type: Lambda
    function: announce
    outputs: [ticket]
  full:
    type: Lambda
    display_name: Ask
    depends_on: [named]
    function: arn:aws:lambda:us-east-1:123456789012:function:judge:live
    arguments: {limit: "${parameters.Limit}", ratio: 0.5, on: true,
                deep: {names: [a, "${steps.named.outputs.ticket}"]}}
    outputs: {rows: Integer, rate: Float, go: Boolean, where: String}
    cache: 1d
  review:
    type: Callback
    queue: reviews
    arguments: {rows: "${steps.full.outputs.rows}"}
    outputs: {verdict: String, mark: Integer}
    cache: 1d
  gate:
    type: Condition
    if: steps.full.outputs.go and steps.review.outputs.mark > 3
    then:
      inside: {type: Lambda, function: inside, outputs: [place]}
      after: {type: Lambda, function: after, arguments: {mark: "${steps.review.outputs.mark}"}}
"""


def build(session: Any) -> tuple[list[Any], list[Any]]:
    from sagemaker.core.lambda_helper import Lambda
    from sagemaker.core.workflow.conditions import ConditionEquals, ConditionGreaterThan
    from sagemaker.core.workflow.parameters import ParameterFloat
    from sagemaker.mlops.workflow.callback_step import (
        CallbackOutput,
        CallbackOutputTypeEnum,
        CallbackStep,
    )
    from sagemaker.mlops.workflow.condition_step import ConditionStep
    from sagemaker.mlops.workflow.lambda_step import (
        LambdaOutput,
        LambdaOutputTypeEnum,
        LambdaStep,
    )
    from sagemaker.mlops.workflow.steps import CacheConfig

    def function(name: str) -> Any:
        address = f"arn:aws:lambda:us-east-1:123456789012:function:{name}"
        return Lambda(function_arn=address, session=session)

    def output(name: str, kind: str) -> Any:
        return LambdaOutput(name, LambdaOutputTypeEnum(value=kind))

    limit = ParameterFloat(name="Limit", default_value=0.9)
    cache = CacheConfig(enable_caching=True, expire_after="1d")
    named = LambdaStep("named", function("announce"), outputs=[output("ticket", "String")])
    full = LambdaStep(
        "full",
        function("judge:live"),
        display_name="Ask",
        inputs={
            "limit": limit,
            "ratio": 0.5,
            "on": True,
            "deep": {"names": ["a", named.properties.Outputs["ticket"]]},
        },
        outputs=[
            output("rows", "Integer"),
            output("rate", "Float"),
            output("go", "Boolean"),
            output("where", "String"),
        ],
        cache_config=cache,
        depends_on=["named"],
    )
    review = CallbackStep(
        "review",
        sqs_queue_url="https://sqs.us-east-1.amazonaws.com/123456789012/reviews",
        inputs={"rows": full.properties.Outputs["rows"]},
        outputs=[
            CallbackOutput("verdict", CallbackOutputTypeEnum(value="String")),
            CallbackOutput("mark", CallbackOutputTypeEnum(value="Integer")),
        ],
        cache_config=cache,
    )
    mark = review.properties.Outputs["mark"]
    gate = ConditionStep(
        "gate",
        conditions=[
            ConditionEquals(left=full.properties.Outputs["go"], right=True),
            ConditionGreaterThan(left=mark, right=3),
        ],
        if_steps=[
            LambdaStep("inside", function("inside"), outputs=[output("place", "String")]),
            LambdaStep("after", function("after"), inputs={"mark": mark}),
        ],
        else_steps=[],
    )
    return [limit], [named, full, review, gate]


@pytest.mark.slow
def test_the_steps_are_the_same(aws: str, tmp_path: Path) -> None:
    assert list(differences(ours(tmp_path, DEFINITION), theirs(aws, build))) == []


def test_partitions_are_those_of_botocore() -> None:
    data = Path(botocore.__file__).parent / "data"
    listed = json.loads((data / "partitions.json").read_text("utf-8"))["partitions"]
    known = {
        region: (partition["id"], partition["outputs"]["dnsSuffix"])
        for partition in listed
        for region in partition["regions"]
        if not region.endswith("-global")
    }
    assert len(known) > 30
    assert {region: partition_of(region) for region in known} == known


def test_names_become_addresses_of_the_environment() -> None:
    china = Environment("cn", "111122223333", "cn-north-1", "role", "bucket")
    wanted = "arn:aws-cn:lambda:cn-north-1:111122223333:function:judge"
    assert arn(china, "lambda", "function:judge") == wanted
    assert queue_url(china, "a") == "https://sqs.cn-north-1.amazonaws.com.cn/111122223333/a"

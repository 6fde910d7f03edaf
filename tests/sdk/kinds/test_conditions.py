"""Conditions inside conditions, over every kind of value, and steps that run after failures equal
those of the SDK's classes; no field is excepted.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from side_by_side import differences, ours, theirs
from surroundings import ROLE

pytestmark = pytest.mark.slow  # for importing the SDK

DEFINITION = """
parameters: {Limit: 0.9, Rows: 100, Owner: astro, Deep: true}
steps:
  evaluate:
    type: Processing
    image: 111122223333.dkr.ecr.us-east-1.amazonaws.com/team/evaluate:1
    instance: ml.m5.large
    command: [python3]
    outputs: {report: s3://survey/report}
    files: {metrics: report/metrics.json}
  judge:
    type: Lambda
    function: arn:aws:lambda:us-east-1:123456789012:function:judge
    depends_on: {step: evaluate, when: any}
    outputs: {go: Boolean, rows: Integer}
  gate:
    type: Condition
    if: >-
      steps.judge.outputs.go and steps.judge.outputs.rows > parameters.Rows
      and steps.evaluate.files.metrics.binary.precision >= parameters.Limit
      and not (parameters.Owner in ["nobody", "root"])
    then:
      deeper:
        type: Condition
        if: parameters.Deep and (steps.judge.outputs.rows <= 1000 or parameters.Limit < 0.5)
        then:
          deepest:
            type: Condition
            if: steps.evaluate.files.metrics['odd name'][0] != parameters.Owner
            then: {told: {type: Fail, message: told}}
        else:
          shallow: {type: Fail, message: shallow}
    else:
      few: {type: Fail, message: "only ${steps.judge.outputs.rows} rows"}
  after-failure:
    type: Condition
    if: parameters.Rows == 1
    depends_on: [{step: judge, when: failed}, {step: evaluate, when: completed}]
    else: {never: {type: Fail, message: never}}
  after-stop: {type: Fail, message: stopped, depends_on: [{step: judge, when: stopped}, gate]}
"""


def build(session: Any) -> tuple[list[Any], list[Any]]:
    from sagemaker.core.workflow.parameters import (
        ParameterBoolean,
        ParameterFloat,
        ParameterInteger,
        ParameterString,
    )

    parameters = {
        "Limit": ParameterFloat(name="Limit", default_value=0.9),
        "Rows": ParameterInteger(name="Rows", default_value=100),
        "Owner": ParameterString(name="Owner", default_value="astro"),
        "Deep": ParameterBoolean(name="Deep", default_value=True),
    }
    evaluate, judge = _evaluate(session), _judge(session)
    gate = _gate(parameters, judge)
    steps = [evaluate, judge, gate, *_afterwards(parameters)]
    return list(parameters.values()), steps


def _evaluate(session: Any) -> Any:
    from sagemaker.core.processing import Processor
    from sagemaker.core.shapes import ProcessingOutput, ProcessingS3Output
    from sagemaker.core.workflow.properties import PropertyFile
    from sagemaker.mlops.workflow.steps import ProcessingStep

    processor = Processor(
        role=ROLE,
        image_uri="111122223333.dkr.ecr.us-east-1.amazonaws.com/team/evaluate:1",
        entrypoint=["python3"],
        instance_count=1,
        instance_type="ml.m5.large",
        sagemaker_session=session,
    )
    target = ProcessingS3Output(
        s3_uri="s3://survey/report",
        local_path="/opt/ml/processing/report",
        s3_upload_mode="EndOfJob",
    )
    arguments = processor.run(outputs=[ProcessingOutput(output_name="report", s3_output=target)])
    metrics = PropertyFile(name="metrics", output_name="report", path="metrics.json")
    return ProcessingStep("evaluate", step_args=arguments, property_files=[metrics])


def _judge(session: Any) -> Any:
    from sagemaker.mlops.workflow.lambda_step import (
        Lambda,
        LambdaOutput,
        LambdaOutputTypeEnum,
        LambdaStep,
    )
    from sagemaker.mlops.workflow.step_dependency import StepDependency, TriggerCondition

    function = Lambda(
        function_arn="arn:aws:lambda:us-east-1:123456789012:function:judge", session=session
    )
    outputs = [
        LambdaOutput("go", LambdaOutputTypeEnum.Boolean),
        LambdaOutput("rows", LambdaOutputTypeEnum.Integer),
    ]
    waits = [StepDependency("evaluate", TriggerCondition.ANY)]
    return LambdaStep("judge", lambda_func=function, outputs=outputs, depends_on=waits)


def _gate(parameters: dict[str, Any], judge: Any) -> Any:
    from sagemaker.core.workflow.conditions import (
        ConditionEquals,
        ConditionGreaterThan,
        ConditionGreaterThanOrEqualTo,
        ConditionIn,
        ConditionLessThan,
        ConditionLessThanOrEqualTo,
        ConditionNot,
        ConditionOr,
    )
    from sagemaker.core.workflow.functions import Join, JsonGet
    from sagemaker.mlops.workflow.condition_step import ConditionStep
    from sagemaker.mlops.workflow.fail_step import FailStep

    def metric(path: str) -> Any:
        return JsonGet(step_name="evaluate", property_file="metrics", json_path=path)

    outputs = judge.properties.Outputs
    differs = ConditionEquals(left=metric("['odd name'][0]"), right=parameters["Owner"])
    deepest = ConditionStep(
        "deepest",
        conditions=[ConditionNot(differs)],
        if_steps=[FailStep("told", error_message="told")],
        else_steps=[],
    )
    either = [
        ConditionLessThanOrEqualTo(left=outputs["rows"], right=1000),
        ConditionLessThan(left=parameters["Limit"], right=0.5),
    ]
    deeper = ConditionStep(
        "deeper",
        conditions=[
            ConditionEquals(left=parameters["Deep"], right=True),
            ConditionOr(conditions=either),
        ],
        if_steps=[deepest],
        else_steps=[FailStep("shallow", error_message="shallow")],
    )
    message = Join(on="", values=["only ", outputs["rows"], " rows"])
    return ConditionStep(
        "gate",
        conditions=[
            ConditionEquals(left=outputs["go"], right=True),
            ConditionGreaterThan(left=outputs["rows"], right=parameters["Rows"]),
            ConditionGreaterThanOrEqualTo(
                left=metric("binary.precision"), right=parameters["Limit"]
            ),
            ConditionNot(ConditionIn(value=parameters["Owner"], in_values=["nobody", "root"])),
        ],
        if_steps=[deeper],
        else_steps=[FailStep("few", error_message=message)],
    )


def _afterwards(parameters: dict[str, Any]) -> list[Any]:
    from sagemaker.core.workflow.conditions import ConditionEquals
    from sagemaker.mlops.workflow.condition_step import ConditionStep
    from sagemaker.mlops.workflow.fail_step import FailStep
    from sagemaker.mlops.workflow.step_dependency import StepDependency, TriggerCondition

    failure = ConditionStep(
        "after-failure",
        depends_on=[StepDependency("judge", TriggerCondition.FAILED), "evaluate"],
        conditions=[ConditionEquals(left=parameters["Rows"], right=1)],
        if_steps=[],
        else_steps=[FailStep("never", error_message="never")],
    )
    stop = FailStep(
        "after-stop",
        error_message="stopped",
        depends_on=[StepDependency("judge", TriggerCondition.STOPPED), "gate"],
    )
    return [failure, stop]


def test_the_steps_are_the_same(aws: str, tmp_path: Path) -> None:
    assert list(differences(ours(tmp_path, DEFINITION), theirs(aws, build))) == []

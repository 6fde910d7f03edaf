"""What documents a definition is found in, and what hostile ones are answered."""

from __future__ import annotations

import functools
import itertools
import json
from typing import Any

import pytest
from imported_samples import SAMPLES, definition, imported

from pipelines.errors import UsageError
from pipelines.importer.environment import suggest_environment
from pipelines.importer.sources import find_definition

FAIL = {"Name": "Stop", "Type": "Fail", "Arguments": {"ErrorMessage": "no"}}
MINIMAL = definition(FAIL)
TEXT = json.dumps(MINIMAL)


def found_in(document: Any, **options: Any) -> Any:
    return find_definition(json.dumps(document), "some-file.json", **options)


def pipeline(name: str, body: Any = TEXT) -> dict[str, Any]:
    properties = {"PipelineName": name, "PipelineDefinition": {"PipelineDefinitionBody": body}}
    return {"Type": "AWS::SageMaker::Pipeline", "Properties": properties}


def test_the_definition_itself_is_named_after_its_file() -> None:
    found = found_in(MINIMAL)
    assert found.definition == MINIMAL
    assert found.around.name == "some-file"


@pytest.mark.parametrize(
    "document",
    [
        {"PipelineName": "p", "PipelineDefinition": TEXT, "RoleArn": "r"},
        {"Resources": {"P": pipeline("p")}},
        {"Resources": {"P": pipeline("p", MINIMAL)}},
        {"Resources": {"P": pipeline("p", {"Fn::Sub": [TEXT, {"A": "b"}]})}},
        {"Resources": {"P": pipeline("p", {"Fn::Join": ["", [TEXT[:20], TEXT[20:]]]})}},
        {"Resources": {"P": pipeline("p", {"Fn::ToJsonString": MINIMAL})}},
        {"kind": "Pipeline", "spec": {"pipelineName": "p", "pipelineDefinition": TEXT}},
        {"resource": {"aws_sagemaker_pipeline": {"p": {"pipeline_definition": TEXT}}}},
        {"resource": {"aws_sagemaker_pipeline": {"p": [{"pipeline_definition": TEXT}]}}},
        {
            "values": {
                "root_module": {
                    "child_modules": [
                        {
                            "resources": [
                                {"values": {"pipeline_name": "p", "pipeline_definition": TEXT}}
                            ]
                        }
                    ]
                }
            }
        },
        {
            "resources": [
                {"instances": [{"attributes": {"pipeline_name": "p", "pipeline_definition": TEXT}}]}
            ]
        },
        {
            "resource": {
                "awscc_sagemaker_pipeline": {
                    "x": {
                        "pipeline_name": "p",
                        "pipeline_definition": {"pipeline_definition_body": TEXT},
                    }
                }
            }
        },
    ],
)
def test_it_is_found_in_what_other_tools_write(document: Any) -> None:
    found = found_in(document)
    assert found.definition == MINIMAL
    assert found.around.name == "p"


def test_one_of_several_is_chosen_by_name() -> None:
    document = {"Resources": {"A": pipeline("a"), "B": pipeline("b")}}
    with pytest.raises(UsageError, match="holds 2 pipelines: `a`, `b`"):
        found_in(document)
    assert found_in(document, wanted="b").around.name == "b"
    with pytest.raises(UsageError, match="no pipeline `c`"):
        found_in(document, wanted="c")


def test_what_stands_beside_it_comes_along() -> None:
    found = found_in(
        {
            "PipelineName": "p",
            "PipelineDisplayName": "P",
            "PipelineDescription": "It",
            "RoleArn": "arn:aws:iam::111122223333:role/p",
            "ParallelismConfiguration": {"MaxParallelExecutionSteps": 4},
            "Tags": [{"Key": "team", "Value": "astro"}],
            "PipelineDefinition": TEXT,
        }
    )
    around = found.around
    assert (around.display_name, around.description, around.parallelism) == ("P", "It", 4)
    assert (around.role, around.tags) == ("arn:aws:iam::111122223333:role/p", {"team": "astro"})


def test_a_definition_on_s3_is_told_where_it_lies() -> None:
    place = {"Bucket": "b", "Key": "definitions/p.json"}
    body = {"PipelineDefinitionS3Location": place}
    document = {"Resources": {"P": {"Properties": {"PipelineDefinition": body}}}}
    with pytest.raises(UsageError, match=r"on S3.*definitions/p\.json"):
        found_in(document)


def test_an_expression_of_terraform_is_told() -> None:
    body = {"pipeline_definition": '${jsonencode({"Version" = "2020-12-01"})}'}
    with pytest.raises(UsageError, match="expression of Terraform"):
        found_in({"resource": {"aws_sagemaker_pipeline": {"p": body}}})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "holds no pipeline definition"),
        ("{", "is no JSON"),
        ("[]", "holds no pipeline definition"),
        ("null", "holds no pipeline definition"),
        ('{"Steps": 7}', "holds no pipeline definition"),
        ('{"a": 1, "a": 2}', "stands twice"),
        ('{"a": NaN}', "no JSON value"),
        ("[" * 50_000, "can't be read: it nests deeper|no JSON"),
        ('{"a": 1' + "0" * 5_000 + "}", "a number of more than 4,300 digits"),
        ('{"a":' * 3_000 + "1" + "}" * 3_000, "nests deeper|can't be read"),
        ("a: [" * 30_000, "nested deeper|can't be read|neither"),
        ("a: &a [1]\nb: *c\n", "anchor"),
        ("a: b: c", "neither JSON nor YAML"),
        ("\tx: 1\n", "neither JSON nor YAML|can't be read"),
        ("a: 1\na: 2\n", "stands twice"),
        ('{"PipelineDefinition": "{"}', "is no JSON"),
        ('{"PipelineDefinition": "7"}', "holds no pipeline definition"),
    ],
)
def test_what_holds_none_is_told(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        find_definition(text, "file.json")


def test_aliases_of_aliases_are_counted() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    for number in range(1, 9):
        before = f"*a{number - 1}"
        lines.append(f"a{number}: &a{number} [{', '.join([before] * 10)}]")
    with pytest.raises(UsageError, match="values"):
        find_definition("\n".join(lines), "bomb.yaml")


@pytest.mark.parametrize(
    "body",
    [
        {"Fn::Sub": ["${A}" * 20_000, {"A": {"Fn::Join": ["x" * 1_000, ["a"] * 1_000]}}]},
        functools.reduce(lambda n, _: {"Fn::Sub": ["${X}${X}", {"X": n}]}, range(24), "text"),
    ],
    ids=["a long text often", "doubled and doubled"],
)
def test_functions_of_a_template_that_make_too_much_text_are_refused(body: Any) -> None:
    with pytest.raises(UsageError, match="more than 8,000,000 characters"):
        found_in({"Resources": {"P": pipeline("p", body)}})


DEEP: Any = "x"
for _ in range(80):
    DEEP = {"a": DEEP}
NOT: Any = {"Type": "Equals", "LeftValue": {"Get": "Parameters.P"}, "RightValue": 1}
for _ in range(70):
    NOT = {"Type": "Not", "Condition": NOT}

HOSTILE: dict[str, Any] = {
    "steps are no list": {"Version": "2020-12-01", "Steps": {"a": 1}},
    "steps of every sort": {"Steps": [None, 7, "x", [], {}, {"Type": 7}, {"Type": "Fail"}]},
    "names twice": definition(FAIL, FAIL, {**FAIL, "Name": "Stop-2"}),
    "odd names": definition({**FAIL, "Name": "no"}, {**FAIL, "Name": "a b: {{ x }} ${y} # é"}),
    "no name": definition({"Type": "Training", "Arguments": {}}),
    "arguments of the wrong sort": definition(
        *({"Name": f"s{n}", "Type": kind, "Arguments": value}
          for n, (kind, value) in enumerate(
              itertools.product(
                  ("Training", "Condition", "ForEach", "Fail", "Lambda", "X"),
                  (None, 7, [], "x", {"Conditions": 7, "IfSteps": 7, "ForEachBody": [7]}),
              ))),
    ),
    "parameters of every sort": definition(
        FAIL,
        parameters=[  # type: ignore[list-item]  # that is the point
            None, 7, {}, {"Name": "A"}, {"Name": "A"}, {"Name": "B", "Type": "Nope"},
            {"Name": "C", "Type": "String", "DefaultValue": "${x} {{ y }}"},
            {"Name": "D", "Type": "Integer", "DefaultValue": "text", "EnumValues": [1, 2]},
            {"Name": "E", "Type": "Float", "DefaultValue": 1, "Description": "lost"},
            {"Name": "F", "Type": "String", "DefaultValue": {"a": 1}},
        ],
    ),
    "top level of every sort": definition(
        FAIL, Unknown={"a": 1}, Metadata={"a": 1}, MlflowConfig=7, PipelineExperimentConfig=[],
    ),
    "another version": {"Version": "1999", "Steps": [FAIL]},
    "deep": definition({"Name": "d", "Type": "Training", "Arguments": DEEP}),
    "deep conditions": definition(
        {"Name": "c", "Type": "Condition", "Arguments": {"Conditions": [NOT]}}
    ),
    "a cycle": definition(
        *({"Name": a, "Type": "X", "DependsOn": [b], "Arguments": {}} for a, b in ("ab", "ba"))
    ),
    "references to nothing": definition(
        {"Name": "r", "Type": "Training", "Arguments": {"RoleArn": {"Get": "Steps.no.Such"}}},
        {"Name": "f", "Type": "Fail", "Arguments": {"ErrorMessage": {"Get": "Parameters.No"}}},
    ),
    "items without names": definition(
        *({"Name": f"c{n}", "Type": "Cleanup",
           "Arguments": {"Resources": {"S3": [{"StepName": name}, {"StepName": "x"}]}}}
          for n, name in enumerate((None, [], 7))),
    ),
    "retries, caches, dependencies of every sort": definition(
        {"Name": "t", "Type": "Training", "Arguments": {}, "DependsOn": [7, {"Step": 1}, "x"],
         "CacheConfig": 7, "RetryPolicies": [7, {"ExceptionType": 7}], "DisplayName": 7},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_definitions_are_imported_as_far_as_it_makes_sense(name: str) -> None:
    made = imported(HOSTILE[name])
    assert made.text.startswith("# Imported from")
    assert made.failed or made.notes or made.differences == []


def test_characters_that_no_text_may_hold_are_refused() -> None:
    for sign in ("\ufdd8", "\ud800", "\uffff"):
        step = {**FAIL, "Arguments": {"ErrorMessage": f"a{sign}b"}}
        with pytest.raises(UsageError, match="none that text may hold"):
            imported(definition(step))


def test_a_variable_of_a_template_can_not_be_forged() -> None:
    step = {**FAIL, "Arguments": {"ErrorMessage": "\ufdd8secret\ufdd9"}}
    with pytest.raises(UsageError, match="none that text may hold"):
        imported(definition(step))


def test_what_is_lost_is_told() -> None:
    made = imported(HOSTILE["top level of every sort"])
    lost = {note.pointer for note in made.notes if note.lost}
    assert {"/Unknown", "/Metadata"} <= lost
    assert {difference.path[0] for difference in made.differences or ()} >= {"Unknown", "Metadata"}


def test_the_environment_is_what_the_literals_say_most() -> None:
    found = suggest_environment(json.loads((SAMPLES / "sdk2-abalone.json").read_text()))
    assert found.entry() == {
        "account": "111122223333",
        "region": "us-east-1",
        "role": "arn:aws:iam::111122223333:role/service-role/AmazonSageMaker-ExecutionRole",
        "bucket": "sagemaker-us-east-1-111122223333",
    }

"""check() and property_type() against the installed botocore's SageMaker model."""

from __future__ import annotations

import copy
import functools
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.service import model as service_model
from pipelines.service import shapes
from pipelines.service.patterns import matches
from pipelines.service.shapes import Shape, check, input_shape, property_type, shape

PROCESSING: dict[str, Any] = {
    "ProcessingJobName": "job-1",
    "RoleArn": "arn:aws:iam::111122223333:role/pipelines",
    "AppSpecification": {"ImageUri": "111122223333.dkr.ecr.us-east-1.amazonaws.com/image:1"},
    "ProcessingResources": {
        "ClusterConfig": {
            "InstanceType": "ml.m5.xlarge",
            "InstanceCount": 1,
            "VolumeSizeInGB": 30,
        }
    },
    "Environment": {"LEVEL": "1"},
    "Tags": [{"Key": "team", "Value": "radio é"}],
}
CLUSTER = ("ProcessingResources", "ClusterConfig")


class Reference:
    """Stands for a pipeline expression."""

    def __init__(self, type_: str) -> None:
        self.type = type_


def expression_type(value: Any) -> str | None:
    return value.type if isinstance(value, Reference) else None


def judge(value: Any, of: str = "CreateProcessingJob", **options: Any) -> list[shapes.Mismatch]:
    return list(check(value, input_shape(of), expression_type=expression_type, **options))


def changed(path: tuple[Any, ...], value: Any) -> dict[str, Any]:
    request = copy.deepcopy(PROCESSING)
    here: Any = request
    for segment in path[:-1]:
        here = here[segment]
    here[path[-1]] = value
    return request


def test_a_good_request_has_no_mismatch() -> None:
    assert judge(PROCESSING) == []


@pytest.mark.parametrize(
    ("path", "value", "kind", "message", "hint"),
    [
        (("Foo",), 1, "unknown-member", "`Foo` is not a member of CreateProcessingJobRequest", ""),
        (
            (*CLUSTER, "volume_size_in_gb"),
            1,
            "unknown-member",
            "`volume_size_in_gb` is not a member of ProcessingClusterConfig",
            "Did you mean `VolumeSizeInGB`?",
        ),
        (
            (*CLUSTER, "VolumeSizeInGB"),
            "30",
            "type",
            "`VolumeSizeInGB` wants an integer, not a string",
            "Write it without quotes.",
        ),
        (
            (*CLUSTER, "InstanceCount"),
            True,
            "type",
            "`InstanceCount` wants an integer, not true or false",
            "",
        ),
        ((*CLUSTER, "InstanceCount"), 0, "range", "`InstanceCount` must be at least 1", ""),
        (
            (*CLUSTER, "InstanceType"),
            "ML.M5.XLarge",
            "enum",
            "`InstanceType` may not be `ML.M5.XLarge`",
            "The API spells it `ml.m5.xlarge`.",
        ),
        (("RoleArn",), "role", "length", "`RoleArn` wants at least 20 characters, not 4", ""),
        (
            ("RoleArn",),
            "arn:aws:s3:::bucket/of-some-length",
            "pattern",
            "`RoleArn` does not match "
            r"`arn:aws[a-z\-]*:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+`",
            "",
        ),
        (
            ("AppSpecification", "ContainerArguments"),
            [],
            "count",
            "`ContainerArguments` wants at least 1 item, not 0",
            "",
        ),
        (
            ("AppSpecification", "ContainerArguments"),
            "--fast",
            "type",
            "`ContainerArguments` wants a list, not a string",
            "Put it in a list.",
        ),
        (
            ("AppSpecification", "ContainerArguments"),
            ["a", 3],
            "type",
            "Item 2 of `ContainerArguments` wants a string, not an integer",
            "Put it in quotes.",
        ),
        (
            ("Environment", "LEVEL"),
            None,
            "type",
            "`LEVEL` wants a string, not null",
            "",
        ),
        (("Tags", 0, "Value"), "\u0000", "pattern", None, ""),
    ],
)
def test_what_is_wrong_and_where(
    path: tuple[Any, ...], value: Any, kind: str, message: str | None, hint: str
) -> None:
    (found,) = judge(changed(path, value))
    assert found.kind == kind
    assert found.path[: len(path)] == path
    assert message is None or found.message == message
    assert found.hint == hint
    assert found.at_key == (kind == "unknown-member")


def test_a_missing_member_is_at_its_structure_and_may_be_ignored() -> None:
    request = copy.deepcopy(PROCESSING)
    del request["ProcessingJobName"], request["AppSpecification"]["ImageUri"]
    found = judge(request)
    assert [(one.path, one.message) for one in found] == [
        ((), "`CreateProcessingJobRequest` lacks `ProcessingJobName`"),
        (("AppSpecification",), "`AppSpecification` lacks `ImageUri`"),
    ]
    assert judge(request, ignore_missing={"ProcessingJobName", "AppSpecification.ImageUri"}) == []


def test_a_bad_map_key_is_marked_at_the_key() -> None:
    (found,) = judge(changed(("Environment", "A B"), "x"))
    assert (found.path, found.at_key, found.kind) == (("Environment", "A B"), True, "pattern")


@pytest.mark.parametrize(
    ("path", "given", "fits"),
    [
        ((*CLUSTER, "InstanceType"), "string", True),
        ((*CLUSTER, "InstanceType"), "integer", False),
        ((*CLUSTER, "InstanceCount"), "integer", True),
        ((*CLUSTER, "InstanceCount"), "float", False),
        ((*CLUSTER, "InstanceCount"), "string", False),
        ((*CLUSTER, "InstanceCount"), "any", True),
        (CLUSTER, "string", False),
        (CLUSTER, "any", True),
        (("Tags",), "string", False),
        (("Environment",), "integer", False),
        (("Environment", "LEVEL"), "boolean", False),
    ],
)
def test_expressions_are_judged_by_their_type(path: Any, given: str, fits: bool) -> None:
    found = judge(changed(path, Reference(given)))
    assert [one.kind for one in found] == ([] if fits else ["type"])


def test_numbers_of_floats_and_finite() -> None:
    sampling = input_shape("CreateEndpointConfig").members["DataCaptureConfig"]
    good = {
        "InitialSamplingPercentage": 20,
        "DestinationS3Uri": "s3://b/k",
        "CaptureOptions": [{"CaptureMode": "Input"}],
    }
    assert list(check(good, sampling)) == []
    weight = input_shape("CreateEndpointConfig").members["ProductionVariants"].member
    variant = {"VariantName": "a", "ModelName": "m", "InitialVariantWeight": 1}
    assert list(check(variant, weight)) == []
    for wrong in (float("nan"), float("inf"), 10**400):
        (found,) = check({**variant, "InitialVariantWeight": wrong}, weight)
        assert found.kind == "range"
    (found,) = check({**variant, "InitialVariantWeight": True}, weight)
    assert found.kind == "type"


def test_a_union_wants_exactly_one_member() -> None:
    union = shape("CollectionConfig")
    assert union.is_union
    (found,) = check({}, union)
    assert found.kind == "count"


def test_recursive_shapes_and_deep_values_end() -> None:
    value: Any = {}
    for _ in range(5000):
        value = {"SubExpressions": [value]}
    found = list(check(value, shape("SearchExpression")))
    assert [one.kind for one in found] == ["count"]


def test_any_json_is_a_document() -> None:
    document = shape("HumanLoopActivationConditionsConfig").members["HumanLoopActivationConditions"]
    assert document.type == "document"
    assert list(check({"Conditions": [1, None]}, document)) == []


@pytest.mark.parametrize(
    "request_value", [None, [], "text", {1: 2}, {("a",): {}}, {"Tags": [{}, 1]}, {"Tags": {1: 1}}]
)
def test_hostile_values_are_judged_not_crashed_on(request_value: Any) -> None:
    assert judge(request_value)


def test_a_flood_of_mistakes_ends() -> None:
    request = {**PROCESSING, **{f"Nobody{number}": number for number in range(50_000)}}
    assert len(judge(request)) == 200


def test_every_pattern_can_be_judged_and_hostile_input_ends() -> None:
    whole = service_model.read_whole_model("sagemaker")
    patterns = {one["pattern"] for one in whole["shapes"].values() if "pattern" in one}
    for pattern in patterns:
        assert isinstance(matches(pattern, "a1"), bool)
    assert not matches(r"([a-z]+)+b", "a" * 2000)


@pytest.mark.parametrize(
    ("pattern", "value", "expected"),
    [
        (r"([\p{L}\p{Z}\p{N}_.:\/=+\-@]*)${1,128}", "été 1", True),
        (r"([\p{L}\p{Z}\p{N}_.:\/=+\-@]*)${1,128}", "plain_1", True),
        (r"([\p{L}\p{Z}\p{N}_.:\/=+\-@]*)${1,128}", "a#b", False),
        (r"([\p{L}\p{Z}\p{N}_.:\/=+\-@]*)${1,128}", "é#b", False),
        (r"\d+", "٣", False),
        (r"\w+", "a\n", False),
        (r"[a-z]+", "abc1", False),
        (
            r"[\u0020-\uD7FF\uE000-\uFFFD\uD800\uDC00-\uDBFF\uDFFF\t]*",
            "pulsar \U0001f4e1",
            True,
        ),
        (r"[\u0020-\uD7FF\uE000-\uFFFD\uD800\uDC00-\uDBFF\uDFFF\t]*", "a\u0001", False),
    ],
)
def test_patterns_are_read_as_java_reads_them(pattern: str, value: str, expected: bool) -> None:
    assert matches(pattern, value) is expected


def test_property_types() -> None:
    training = shape("DescribeTrainingJobResponse")
    assert property_type(training, ["ModelArtifacts", "S3ModelArtifacts"]).type == "string"
    assert property_type(training, ["BillableTimeInSeconds"]).type == "integer"
    assert property_type(training, ["HyperParameters", "max depth"]).type == "string"
    assert property_type(training, ["FinalMetricDataList", 0, "Value"]).type == "float"
    assert property_type(training, ["CreationTime"]).type == "timestamp"
    assert property_type(training, []).type == "structure"
    with pytest.raises(shapes.UnknownMember) as error:
        property_type(training, ["ModelArtifacts", "S3ModelArtifact"])
    assert error.value.index == 1
    assert error.value.names == ("S3ModelArtifacts",)
    for path, index in ((["FinalMetricDataList", "x"], 1), (["CreationTime", "x"], 1)):
        with pytest.raises(shapes.UnknownMember) as error:
            property_type(training, path)
        assert error.value.index == index


def test_unknown_names_are_refused_with_the_nearest() -> None:
    with pytest.raises(shapes.UnknownName) as error:
        input_shape("CreateProccessingJob")
    assert "CreateProcessingJob" in error.value.hint
    with pytest.raises(shapes.UnknownName) as error:
        input_shape("RunJobFlow", "ermr")
    assert "emr" in error.value.hint
    with pytest.raises(shapes.UnknownName):
        shape("X", "../sagemaker")
    assert input_shape("RunJobFlow", "emr").type == "structure"


def test_documentation_is_one_plain_sentence() -> None:
    text = shapes.documentation(
        "CreateProcessingJob", ["ProcessingResources", "ClusterConfig", "InstanceType"]
    )
    assert text == "The ML compute instance type for the processing job."
    assert shapes.documentation("CreateProcessingJob", []) == "Creates a processing job."
    with pytest.raises(shapes.UnknownMember):
        shapes.documentation("CreateProcessingJob", ["Foo"])


# --- what is generated from a shape passes; what is broken is flagged -----------------------------


def values_of(shape_: Shape, depth: int = 0) -> st.SearchStrategy[Any]:
    """Values that AWS's model allows, patterns included."""
    if shape_.type == "structure":
        members = shape_.members
        if shape_.is_union:
            return st.sampled_from(sorted(members)).flatmap(
                lambda name: st.fixed_dictionaries({name: values_of(members[name], depth + 1)})
            )
        needed = {name: values_of(members[name], depth + 1) for name in shape_.required}
        more = {} if depth > 2 else {n: values_of(m, depth + 1) for n, m in members.items()}
        free = {name: strategy for name, strategy in more.items() if name not in needed}
        return st.fixed_dictionaries(needed, optional=free)
    low = int(shape_.minimum or 0)
    if shape_.type in {"list", "map"}:
        high = max(low, min(int(shape_.maximum or low + 2), low + 2))
        if shape_.type == "list":
            return st.lists(values_of(shape_.member, depth + 1), min_size=low, max_size=high)
        keys, items = values_of(shape_.key), values_of(shape_.value, depth + 1)
        return st.dictionaries(keys, items, min_size=low, max_size=high)
    return scalars_of(shape_, low)


def scalars_of(shape_: Shape, low: int) -> st.SearchStrategy[Any]:
    high = shape_.maximum
    if shape_.enum:
        return st.sampled_from(shape_.enum)
    if shape_.type == "string":
        text = st.text("abcXYZ019", min_size=low, max_size=int(high or low + 20))
        if shape_.pattern is None or matches(shape_.pattern, "a" * max(low, 1)):
            return text.map(lambda found: found or "a" * max(low, 1)).filter(
                lambda found: shape_.pattern is None or matches(shape_.pattern, found)
            )
        return st.from_regex(
            shape_.pattern, fullmatch=True, alphabet=st.characters(codec="ascii")
        ).filter(
            lambda found: (
                low <= len(found) <= (high or 10**6) and matches(shape_.pattern or "", found)
            )
        )
    if shape_.type in {"integer", "long"}:
        return st.integers(low, int(high or low + 1000))
    if shape_.type in {"float", "double"}:
        return st.floats(low, high or low + 1000, allow_nan=False)
    if shape_.type == "boolean":
        return st.booleans()
    if shape_.type == "timestamp":
        return st.sampled_from(["2026-01-02T03:04:05Z", 1767322800])
    return st.just("YQ==")


TRIED = [
    input_shape("CreateProcessingJob").members["ProcessingResources"],
    input_shape("CreateTrainingJob").members["ResourceConfig"],
    input_shape("CreateTrainingJob").members["OutputDataConfig"],
    input_shape("CreateTransformJob").members["TransformInput"],
    input_shape("CreateModelPackage").members["InferenceSpecification"],
    input_shape("CreateEndpointConfig").members["ProductionVariants"],
    input_shape("CreateHyperParameterTuningJob").members["HyperParameterTuningJobConfig"],
]
QUICK = settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[
        HealthCheck.too_slow,
        HealthCheck.filter_too_much,
        HealthCheck.data_too_large,
    ],
)


@QUICK
@given(data=st.data())
def test_what_a_shape_allows_passes_and_what_is_broken_is_flagged(data: st.DataObject) -> None:
    judged = data.draw(st.sampled_from(TRIED))
    value = data.draw(values_of(judged))
    assert list(check(value, judged)) == []
    places = list(walk(value, judged, ()))
    path, here, of = data.draw(st.sampled_from(places))
    wrong = data.draw(st.sampled_from([None, object(), {"nobody": 1}, [object()]]))
    if of.type == "structure" and isinstance(here, dict) and data.draw(st.booleans()):
        wrong = {**here, "Nobody": 1}
    found = list(check(put(value, path, wrong), judged))
    assert found
    assert all(one.path[: len(path)] == path for one in found)


def walk(value: Any, of: Shape, path: tuple[Any, ...]) -> Any:
    yield path, value, of
    if of.type == "structure":
        for name, item in value.items():
            yield from walk(item, of.members[name], (*path, name))
    elif of.type == "list":
        for index, item in enumerate(value):
            yield from walk(item, of.member, (*path, index))
    elif of.type == "map":
        for key, item in value.items():
            yield from walk(item, of.value, (*path, key))


def put(value: Any, path: tuple[Any, ...], wrong: Any) -> Any:
    if not path:
        return wrong
    copied = dict(value) if isinstance(value, dict) else list(value)
    copied[path[0]] = put(value[path[0]], path[1:], wrong)
    return copied


@functools.cache
def botocore_model() -> Any:
    from botocore.session import Session

    return Session().get_service_model("sagemaker")


@QUICK
@given(data=st.data())
def test_what_botocore_refuses_is_flagged(data: st.DataObject) -> None:
    from botocore.validate import ParamValidator

    judged = data.draw(st.sampled_from(TRIED))
    value = data.draw(values_of(judged))
    path, _, _ = data.draw(st.sampled_from(list(walk(value, judged, ()))))
    wrong = data.draw(st.sampled_from([None, True, 0, 1.5, "", "text", {}, [], {"A": "b"}]))
    broken = put(value, path, wrong)
    theirs = botocore_model().shape_for(judged.name)
    refused = ParamValidator().validate(broken, theirs).has_errors()
    assert list(check(broken, judged)) or not refused


# --- reading the model ----------------------------------------------------------------------------


@pytest.fixture
def fresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    service_model.load_model.cache_clear()
    yield tmp_path / "sagedag"
    service_model.load_model.cache_clear()


def test_the_cache_is_used_and_survives_damage(fresh: Path) -> None:
    expected = input_shape("CreateModel").members
    (cached,) = fresh.iterdir()
    whole = cached.read_bytes()
    damaged = [
        b"",
        whole[:1000],
        whole.replace(b'"CreateModel"', b'"CreateMudel"'),
        b"\n[]",
        b"\xff" * 100,
    ]
    for content in damaged:
        cached.write_bytes(content)
        service_model.load_model.cache_clear()
        assert input_shape("CreateModel").members == expected
        assert cached.read_bytes() == whole
    # Only a read from the cache can show what only the cache says.
    heading, body = whole.split(b"\n", 1)
    key = heading.rsplit(b" ", 1)[0].decode()
    marked = body.replace(b'"CreateModel"', b'"OnlyInCache"')
    cached.write_bytes(service_model._heading(key, marked) + b"\n" + marked)
    service_model.load_model.cache_clear()
    assert input_shape("OnlyInCache").members == expected


def test_a_cache_that_cannot_be_written_costs_only_time(
    fresh: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    blocker = tmp_path / "file"
    blocker.write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(blocker))
    assert input_shape("CreateModel").type == "structure"
    monkeypatch.setattr(Path, "home", staticmethod(lambda: (_ for _ in ()).throw(RuntimeError())))
    monkeypatch.delenv("XDG_CACHE_HOME")
    service_model.load_model.cache_clear()
    assert input_shape("CreateModel").type == "structure"


def test_old_caches_are_removed(fresh: Path) -> None:
    fresh.mkdir()
    for number in range(9):
        old = fresh / f"sagemaker-{number:08x}.model"
        old.write_text("")
        os.utime(old, (number, number))
    input_shape("CreateModel")
    assert len(list(fresh.iterdir())) == 4


def test_nothing_heavy_is_imported(tmp_path: Path) -> None:
    program = (
        "import sys, json\n"
        "from pipelines.service.shapes import check, input_shape\n"
        "value = json.loads(sys.argv[1])\n"
        "assert not list(check(value, input_shape('CreateProcessingJob')))\n"
        "heavy = {'botocore', 'boto3', 'sagemaker', 'regex', 'difflib', 'html'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
    )
    request = changed(("Tags", 0, "Value"), "radio")
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path)}
    root = Path(__file__).parents[2]
    command = [sys.executable, "-c", program, json.dumps(request)]
    subprocess.run(command, check=True, cwd=root, env=environment)

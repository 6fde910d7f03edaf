"""Whatever was deployed before: a deploy ends in what is wanted, and a plan then says so."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from interrupted import PLACE, PROVENANCE, ROLE, everything
from moto_server import AwsServer

from pipelines.cloud.apply import apply_plan
from pipelines.cloud.client import Clients, connect
from pipelines.cloud.plan import from_json
from pipelines.cloud.views.lines import summary
from pipelines.cloud.wanted import Wanted
from pipelines.deployment import compare
from pipelines.deployment.compiling import wanted_of

sys.path.insert(0, str(Path(__file__).parents[1] / "compile"))
from compiled_cases import ALL, Case

NAMES = st.sampled_from(["a", "b-1", "Long" * 20])
TEXTS = st.text("abc é/+=@-_.:", min_size=1, max_size=20).filter(lambda t: t == t.strip())
SCHEDULES = st.dictionaries(
    st.sampled_from(["nightly", "a very long name that does not fit " * 3, "ä/ö"]),
    st.fixed_dictionaries(
        {"rate": st.sampled_from(["1 hour", "2 days"])},
        optional={
            "enabled": st.booleans(),
            "timezone": st.sampled_from(["UTC", "Europe/Berlin"]),
            "parameters": st.dictionaries(st.sampled_from(["P", "Q"]), st.integers(0, 3)),
        },
    ),
    max_size=2,
)


@st.composite
def wanted(draw: st.DrawFn, name: str) -> Wanted:
    step = {
        "Name": "train",
        "Type": "Training",
        "Arguments": {"HyperParameters": {"depth": draw(st.sampled_from(["1", "2"]))}},
    }
    given: dict[str, Any] = {"RoleArn": ROLE}
    if draw(st.booleans()):
        given["PipelineDescription"] = draw(TEXTS)
    if draw(st.booleans()):
        given["PipelineDisplayName"] = draw(st.sampled_from([name, "Shown"]))
    if draw(st.booleans()):
        given["ParallelismConfiguration"] = {"MaxParallelExecutionSteps": draw(st.integers(1, 3))}
    tags = draw(st.dictionaries(TEXTS, TEXTS, max_size=3))
    if tags:
        given["Tags"] = [{"Key": key, "Value": value} for key, value in tags.items()]
    definition = {"Version": "2020-12-01", "Steps": [step]}
    return Wanted(name, definition, given, draw(SCHEDULES), path=f"{name}/pipeline.yaml")


@st.composite
def histories(draw: st.DrawFn) -> list[list[Wanted]]:
    """Some deploys, one after the other, each of some pipelines."""
    found = []
    for _ in range(draw(st.integers(1, 3))):
        names = draw(st.lists(NAMES, unique=True, min_size=1, max_size=2))
        found.append([draw(wanted(name)) for name in names])
    return found


@pytest.fixture
def server(aws: AwsServer) -> Iterator[AwsServer]:
    yield aws


@given(history=histories(), alias=st.sampled_from(["", "live"]))
@settings(
    max_examples=12,
    deadline=None,
    # Every example empties the server itself.
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_every_deploy_converges(server: AwsServer, history: list[list[Wanted]], alias: str) -> None:
    server.reset()
    boto3.client("s3").create_bucket(Bucket="dev-bucket")
    clients = connect(PLACE)
    for wants in history:
        keep = {each.name for each in wants}
        planned = compare(wants, clients, PROVENANCE, Path.cwd(), alias=alias, keep=keep)
        # A plan is the same after it was saved.
        assert from_json(planned.plan.to_json(), "plan") == planned.plan
        apply_plan(clients, planned.plan, Path.cwd())
        again = compare(wants, clients, PROVENANCE, Path.cwd(), alias=alias, keep=keep)
        assert again.plan.is_empty, again.plan
        state = everything()
        assert set(state["pipelines"]) == keep
        assert len(state["schedules"]) == sum(len(each.schedules) for each in wants)
        for each in wants:
            tags = state["pipelines"][each.name]["tags"]
            own = {k: v for k, v in tags.items() if not k.startswith("sagedag:")}
            assert own == each.tags


@pytest.mark.parametrize("case", ALL, ids=lambda case: case.name)
def test_every_kind_converges(clients: Clients, case: Case) -> None:
    """What is deployed of a definition is what it says: a plan then has nothing to tell."""
    wanted = wanted_of(case.compiled)
    # The assets are not published here: their files are the other tests' matter.
    wanted = replace(wanted, assets=())
    planned = compare([wanted], clients, PROVENANCE, case.folder, keep={wanted.name})
    assert planned.plan.changed
    apply_plan(clients, planned.plan, case.folder)
    again = compare([wanted], clients, PROVENANCE, case.folder, keep={wanted.name})
    assert again.plan.is_empty, again.plan.changed
    assert summary(again.plan).startswith("No changes.")

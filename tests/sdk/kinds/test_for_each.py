"""ForEach steps equal those of the SDK's class; their bodies' own requests are compared elsewhere.

The bodies here are Lineage steps: the SDK builds them without files and uploads. Where a text is
wanted this product joins an item to one, because an item may be a number; the SDK's user does so.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from side_by_side import differences, ours, theirs

pytestmark = pytest.mark.slow  # for importing the SDK

DEFINITION = """
parameters: {Nights: '["a", "b"]', Owner: astro}
steps:
  record:
    type: Lineage
    actions: {base: {type: Base, source: s3://survey/base}}
  nights:
    type: ForEach
    display_name: Nights
    description: Every night
    depends_on: [record]
    items: [monday, 7, 0.5, true, "${parameters.Owner}", {night: 1, "odd name": "ä"},
            "${steps.record.actions.base}"]
    max_concurrency: 4
    select: {max: "${steps.look.actions.seen}"}
    steps:
      look:
        type: Lineage
        actions: {seen: {type: "${item.kind.name}", source: "${item['odd name'][0].uri}"}}
        artifacts: {whole: {type: Night, source: "${item}"}}
      after:
        type: Lineage
        depends_on: [look]
        associations: [{source: "${steps.look.actions.seen}",
                        destination: "${steps.look.artifacts.whole}"}]
  texts:
    type: ForEach
    items: "${parameters.Nights}"
    select: {min: "${steps.one.contexts.c}"}
    steps: {one: {type: Lineage, contexts: {c: {type: Night, source: "s3://survey/${item}"}}}}
  choose:
    type: Condition
    if: steps.nights.properties.FailedStepCount > 0
    then:
      again:
        type: ForEach
        depends_on: [texts]
        items: ["${steps.nights.properties.Status}"]
        steps: {inner: {type: Lineage, contexts: {d: {type: Night, source: "${item}"}}}}
  use:
    type: Lineage
    associations:
      - {source: "${steps.nights.iterations[2].look.actions.seen}",
         destination: "${steps.nights.selected.artifacts.whole}"}
"""


def build(session: Any) -> tuple[list[Any], list[Any]]:
    from sagemaker.core.workflow.conditions import ConditionGreaterThan
    from sagemaker.core.workflow.functions import Join
    from sagemaker.core.workflow.parameters import ParameterString
    from sagemaker.mlops.workflow.condition_step import ConditionStep
    from sagemaker.mlops.workflow.for_each_step import (
        CurrentItem,
        ForEachSelector,
        ForEachStep,
        IterationOutput,
    )

    nights = ParameterString(name="Nights", default_value='["a", "b"]')
    owner = ParameterString(name="Owner", default_value="astro")
    item = CurrentItem()
    record = lineage("record", actions=[action(session, "base", "Base", "s3://survey/base")])
    look = lineage(
        "look",
        actions=[action(session, "seen", item.kind.name, item["odd name"][0].uri)],
        artifacts=[artifact(session, "whole", item)],
    )
    after = lineage(
        "after",
        associations=[(look.properties.ActionArns["seen"], look.properties.ArtifactArns["whole"])],
        depends_on=["look"],
    )
    base = record.properties.ActionArns["base"]
    first = ForEachStep(
        "nights",
        ["monday", 7, 0.5, True, owner, r'{"night": 1, "odd name": "\u00e4"}', base],
        4,
        [look, after],
        ForEachSelector("MaxBy", IterationOutput(look).ActionArns["seen"]),
        "Nights",
        "Every night",
        ["record"],
    )
    place = Join(on="", values=["s3://survey/", item])
    one = lineage("one", contexts=[context(session, "c", place)])
    texts = ForEachStep(
        "texts", nights, 1, [one], ForEachSelector("MinBy", IterationOutput("one").ContextArns["c"])
    )
    inner = lineage("inner", contexts=[context(session, "d", item)])
    again = ForEachStep("again", [first.properties.Status], 1, [inner], depends_on=["texts"])
    failed = ConditionGreaterThan(left=first.properties.FailedStepCount, right=0)
    choose = ConditionStep("choose", conditions=[failed], if_steps=[again], else_steps=[])
    rounds, picked = first.properties.IterationOutputs, first.properties.Selected
    use = lineage(
        "use", associations=[(rounds[2].look.ActionArns["seen"], picked.ArtifactArns["whole"])]
    )
    return [nights, owner], [record, first, texts, choose, use]


def lineage(name: str, associations: Any = (), **entities: Any) -> Any:
    from sagemaker.mlops.workflow.lineage_step import (
        LineageAssociation,
        LineageEntityReference,
        LineageStep,
    )

    made = [
        LineageAssociation(LineageEntityReference(arn=one), LineageEntityReference(arn=other))
        for one, other in associations
    ]
    return LineageStep(name, associations=made, **entities)


def action(session: Any, name: str, kind: Any, source: Any) -> Any:
    from sagemaker.core.lineage.action import Action

    return Action.create(name, source, action_type=kind, sagemaker_session=session)


def artifact(session: Any, name: str, source: Any) -> Any:
    from sagemaker.core.lineage.artifact import Artifact

    return Artifact.create(name, source, artifact_type="Night", sagemaker_session=session)


def context(session: Any, name: str, source: Any) -> Any:
    from sagemaker.core.lineage.context import Context

    return Context.create(name, source, context_type="Night", sagemaker_session=session)


@pytest.fixture(scope="module")
def built(aws: str) -> dict[str, Any]:
    return theirs(aws, build)


def test_the_steps_are_the_same(built: dict[str, Any], tmp_path: Path) -> None:
    assert list(differences(ours(tmp_path, DEFINITION), built)) == []

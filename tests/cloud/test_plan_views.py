"""A plan on terminals of any width, and as Markdown."""

from __future__ import annotations

import re

import pytest

from pipelines.cloud.masking import MASKED
from pipelines.cloud.plan import Change, PipelinePlan, Plan, Upload
from pipelines.cloud.schedule_changes import compare_schedules
from pipelines.cloud.settings import fold_roles
from pipelines.cloud.views.markdown import render_markdown
from pipelines.cloud.views.text import render_text
from pipelines.cloud.wanted import Wanted

PLACE = "line/pipeline.yaml:24:23"
OLD, NEW = "arn:aws:iam::123456789012:role/old", "arn:aws:iam::123456789012:role/new"
CHANGES = (
    Change("~", "steps.train.instance", "ml.m5.large", "ml.m5.4xlarge", PLACE),
    Change("~", "role", OLD, NEW, PLACE, note="also of 1 step"),
    Change("+", "steps.train.hyperparameters.a-rather-long-name", "", "12", PLACE),
    Change("~", "steps.copy.arguments", note="added --fast 1", position=PLACE),
)
UPLOADS = (
    Upload("s3://b/assets/sha256/aaaaaaaabbbb", (("a.py", 1500, "x"),), ("line/code/a.py",)),
    Upload("s3://b/assets/sha256/bbbbbbbbcccc", (("b.py", 2, "x"),), ("line/b.py",)),
)
PLAN = Plan(
    "dev",
    "123456789012",
    "us-east-1",
    (PipelinePlan("line", "update", "line/pipeline.yaml", CHANGES),),
    UPLOADS,
)


@pytest.mark.parametrize("width", [80, 100, 120])
def test_lines_fit_the_terminal(width: int) -> None:
    lines = render_text(PLAN, width=width).splitlines()
    assert max(map(len, lines)) <= width
    places = [line for line in lines if re.search(r":24:23$", line)]
    assert len(places) == len(CHANGES)
    assert {len(line) for line in places} == {width}


def test_what_is_too_wide_is_told_below_its_name() -> None:
    lines = [line.rstrip() for line in render_text(PLAN, width=80).splitlines()]
    at = next(n for n, line in enumerate(lines) if line.startswith("    ~ role (also of 1 step):"))
    assert lines[at + 1 : at + 3] == [f"        - {OLD}", f"        + {NEW}"]
    assert any(
        f"role: {OLD} → {NEW} (also of 1 step)" in t
        for t in render_text(PLAN, width=140).splitlines()
    )
    (name,) = [line for line in lines if "a-rather-long-name" in line]
    assert re.search(r"name: 12 +:24:23$", name)


def test_colours_leave_the_text_alone() -> None:
    plain = render_text(PLAN, width=80)
    assert re.sub(r"\x1b\[\d+m", "", render_text(PLAN, width=80, color=True)) == plain


def test_uploads_stand_in_columns() -> None:
    text = render_text(PLAN)
    assert "    + line/code/a.py  1 file, 1.5 KiB  s3://b/assets/sha256/aaaaaaaa…\n" in text
    assert "    + line/b.py       1 file, 2 B      s3://b/assets/sha256/bbbbbbbb…\n" in text


def test_markdown_colours_what_was_and_what_is() -> None:
    lines = render_markdown(PLAN).splitlines()
    at = lines.index(f"! role (also of 1 step):    ({PLACE})")
    assert lines[at + 1 : at + 3] == [f"-   {OLD}", f"+   {NEW}"]


def test_a_role_is_told_once() -> None:
    role = Change("~", "role", OLD, NEW)
    own = Change("~", "steps.b.role", "another", NEW)
    followers = [Change("~", f"{each}.role", OLD, NEW) for each in ("steps.a", "steps.if.then.c")]
    schedule = Change("~", "schedules.nightly.role", OLD, NEW)
    folded = fold_roles([*followers, own, role, schedule])
    assert folded == (own, Change("~", "role", OLD, NEW, note="also of 2 steps and 1 schedule"))
    assert fold_roles([*followers, own]) == (*followers, own)


def test_a_new_schedule_tells_its_parameters() -> None:
    given = {"rate": "7 days", "parameters": {"Rows": 7, "ApiKey": "abcd"}, "enabled": False}
    wanted = Wanted("line", {}, {}, {"weekly": given})
    (change,) = compare_schedules(wanted, None, "group", {"RoleArn": NEW}).changes
    told = f"rate(7 days) switched off with ApiKey={MASKED}, Rows=7"
    assert change == Change("+", "schedules.weekly", "", told)

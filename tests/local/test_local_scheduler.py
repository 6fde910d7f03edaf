from __future__ import annotations

import random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from local_samples import always, condition, document, fail

from pipelines.definition import dependencies, read_definition
from pipelines.local.scheduler import LEFT_OUT, Scheduler


def scheduler(*steps: Any) -> Scheduler:
    return Scheduler(read_definition(document(*steps)))


def take(plan: Scheduler) -> list[str]:
    names = []
    while name := plan.next():
        names.append(name)
    return names


def test_steps_come_in_the_order_of_the_file() -> None:
    plan = scheduler(always("b"), always("a"), always("c", DependsOn=["a"]))
    assert take(plan) == ["b", "a"]
    plan.end("b", "Succeeded", True)
    assert take(plan) == []
    plan.end("a", "Succeeded", True)
    assert take(plan) == ["c"]


def test_nested_branches_follow_their_conditions() -> None:
    inner = condition("inner", _yes(), then=[always("deep")], other=[always("other")])
    plan = scheduler(condition("outer", _yes(), then=[inner]), always("tail", DependsOn=["other"]))
    assert take(plan) == ["outer"]
    plan.end("outer", "Succeeded", True)
    assert take(plan) == ["inner"]
    plan.end("inner", "Succeeded", True)
    assert take(plan) == ["deep"]
    assert plan.states["other"] == plan.states["tail"] == LEFT_OUT


def test_a_branch_not_taken_takes_its_inner_branches_with_it() -> None:
    inner = condition("inner", _yes(), then=[always("deep")])
    plan = scheduler(condition("outer", _yes(), then=[inner]))
    take(plan)
    plan.end("outer", "Succeeded", False)
    assert plan.states == {"outer": "Succeeded", "inner": LEFT_OUT, "deep": LEFT_OUT}
    assert plan.result() == "Succeeded"


def test_an_unanswered_failure_halts() -> None:
    plan = scheduler(always("a"), always("b"), always("c", DependsOn=["b"]))
    take(plan)
    plan.end("a", "Failed")
    plan.end("b", "Succeeded", True)
    assert take(plan) == []
    assert plan.result() == "Failed"


def test_an_answer_that_never_comes_is_none() -> None:
    both = always("both", DependsOn=[{"Step": "a", "Trigger": "Failed"}, "b"])
    plan = scheduler(always("a"), always("b"), both)
    take(plan)
    plan.end("a", "Failed")
    plan.end("b", "Failed")
    assert plan.states["both"] == LEFT_OUT
    assert plan.result() == "Failed"


def test_a_fail_step_cannot_be_answered() -> None:
    tell = always("tell", DependsOn=[{"Step": "end", "Trigger": "Failed"}])
    plan = scheduler(fail("end"), tell)
    take(plan)
    plan.end("end", "Failed")
    assert take(plan) == []
    assert plan.result() == "Failed"


def _yes() -> dict[str, Any]:
    return {"Type": "Equals", "LeftValue": 1, "RightValue": 1}


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 25), st.booleans())
def test_any_graph_ends_with_each_step_run_once_or_left_out(
    seed: int, size: int, failures: bool
) -> None:
    chooser = random.Random(seed)
    triggers = ["Completed", "Completed", "Failed", "Any"]
    steps = []
    for number in range(size):
        before = chooser.sample(range(number), min(number, chooser.randrange(3)))
        edges = [{"Step": f"s{n}", "Trigger": chooser.choice(triggers)} for n in before]
        steps.append(always(f"s{number}", DependsOn=edges))
    definition = read_definition(document(*steps))
    plan, edges_of = Scheduler(definition), dependencies(definition)
    running, ended = take(plan), {}
    while running:
        name = running.pop(chooser.randrange(len(running)))
        status = "Failed" if failures and chooser.random() < 0.3 else "Succeeded"
        assert name not in ended
        for edge in edges_of[name]:
            wanted = {"Completed": {"Succeeded"}, "Failed": {"Failed"}}
            assert ended[edge.step] in wanted.get(edge.trigger, {"Succeeded", "Failed"})
        ended[name] = status
        plan.end(name, status, True)
        running += take(plan)
    assert plan.running == 0
    if not plan.halted:
        rest = {name for name, state in plan.states.items() if state == LEFT_OUT}
        assert rest | set(ended) == set(definition.by_name)
    assert plan.result() in ("Succeeded", "Failed", "CompletedWithFailures")
    assert (plan.result() == "Succeeded") == ("Failed" not in ended.values())

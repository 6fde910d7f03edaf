"""A run beside an earlier one of the same pipeline."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from pipelines.report.model import Change, StepPart

NOTABLE = 0.2
"""A step that took this part longer or shorter, and half a second, has changed its time."""


def changes(
    before: tuple[Mapping[str, str], Sequence[StepPart]],
    after: tuple[Mapping[str, str], Sequence[StepPart]],
) -> Iterator[Change]:
    """Yield what differs: parameters, how steps ended, their metrics, their times.

    Args:
        before, after: each run's parameters and steps.
    """
    yield from _settings(before[0], after[0])
    old = {step.name: step for step in before[1]}
    new = {step.name: step for step in after[1]}
    for name in [*new, *(name for name in old if name not in new)]:
        was, now = old.get(name), new.get(name)
        if was is None or now is None:
            yield Change(name, was.state if was else "not run", now.state if now else "not run")
            continue
        if was.state != now.state:
            yield Change(name, was.state, now.state)
        elif was.note != now.note and now.type == "Condition":
            yield Change(name, was.note, now.note)
        yield from _metrics(was, now)
        if "Reused" not in (was.state, now.state) and _differs(was.seconds, now.seconds):
            yield Change(f"{name}: time", f"{was.seconds:.2f} s", f"{now.seconds:.2f} s")


def _settings(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[Change]:
    for name in [*after, *(name for name in before if name not in after)]:
        if before.get(name) != after.get(name):
            yield Change(name, before.get(name, "not set"), after.get(name, "not set"))


def _metrics(was: StepPart, now: StepPart) -> Iterator[Change]:
    for name in [*now.metrics, *(name for name in was.metrics if name not in now.metrics)]:
        old, new = was.metrics.get(name), now.metrics.get(name)
        if old != new:
            yield Change(f"{now.name}: {name}", _number(old), _number(new))


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.6g}"


def _differs(before: float, after: float) -> bool:
    return abs(after - before) > max(0.5, NOTABLE * before)

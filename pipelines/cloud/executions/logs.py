"""What the jobs of an execution printed, from CloudWatch Logs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pipelines.cloud.client import Clients
from pipelines.cloud.executions.jobs import Job
from pipelines.cloud.executions.reading import read_execution
from pipelines.cloud.executions.records import Execution, StepRecord
from pipelines.cloud.executions.weather import is_passing
from pipelines.cloud.parallel import in_parallel
from pipelines.cloud.refusals import Missing, Refused

TAIL_LINES = 20
_STREAMS = 50
"""How many streams of a job a tail looks into."""
_SLACK = 60.0
"""Seconds before and after a step's own times in which its lines are looked for."""
_LATE = 120_000
"""Milliseconds: how much later than others a line may come and still be found by following."""
_SETTLING = 3
"""How often a finished execution's logs are asked again without anything new."""


@dataclass(frozen=True)
class Source:
    """Where the lines of one step are.

    Args:
        since, until: milliseconds; only lines between them are the step's. None: no bound.
    """

    step: str
    job: Job
    since: int | None = None
    until: int | None = None


@dataclass(frozen=True)
class Line:
    """One line of a log.

    Args:
        stream: the stream's name without the job's: ``algo-1-1700000000``; empty for a function.
        moment: milliseconds since 1970.
    """

    step: str
    stream: str
    moment: int
    text: str
    id: str = field(default="", repr=False)


def sources_of(steps: Iterable[StepRecord]) -> tuple[Source, ...]:
    """Return where the logs of some steps are; what has none in CloudWatch is left out.

    What a cached or reused step once printed is found as well: its metadata names the job.
    """
    found = []
    for step in steps:
        for job in step.jobs:
            if job.group:
                # A function's streams are shared by all that call it: only the time tells.
                timed = not job.prefix
                begin = _milliseconds(step.started, -_SLACK) if timed else None
                end = _milliseconds(step.ended, _SLACK) if timed else None
                found.append(Source(step.label, job, begin, end))
    return tuple(found)


def _milliseconds(moment: datetime | None, more: float) -> int | None:
    return int((moment.timestamp() + more) * 1000) if moment is not None else None


def read_lines(
    clients: Clients, source: Source, *, since: int | None = None, until: int | None = None
) -> Iterator[Line]:
    """Yield the lines of a step, oldest first, page by page.

    Args:
        since, until: milliseconds; none before and after.

    Raises:
        Refused: the call was refused; a log that is not there is empty.
    """
    request: dict[str, Any] = {"logGroupName": source.job.group}
    if source.job.prefix:
        request["logStreamNamePrefix"] = source.job.prefix
    bounds = [value for value in (since, source.since) if value is not None]
    if bounds:
        request["startTime"] = max(bounds)
    ends = [value for value in (until, source.until) if value is not None]
    if ends:
        request["endTime"] = min(ends)
    try:
        for event in clients.pages("logs:FilterLogEvents", _about(source), "events", **request):
            stream = str(event.get("logStreamName", ""))
            if source.job.has_stream(stream):
                yield _line(source, stream, event)
    except Missing:
        # Nothing was ever written there.
        return


def _about(source: Source) -> str:
    return f"log of step {source.step}, {source.job.group}"


def _line(source: Source, stream: str, event: Mapping[str, Any]) -> Line:
    # The streams of a function are named by the time and tell nothing.
    inner = stream[len(source.job.prefix) :] if source.job.prefix else ""
    return Line(
        source.step,
        inner,
        int(event.get("timestamp", 0)),
        str(event.get("message", "")).rstrip("\r\n"),
        str(event.get("eventId", "")),
    )


def read_tail(clients: Clients, source: Source, count: int = TAIL_LINES) -> list[Line]:
    """Return the last lines of a step, oldest first.

    They are read from the end, however long the log is.

    Raises:
        Refused: a call was refused; a log that is not there is empty.
    """
    streams = _last_streams(clients, source)

    def end_of(stream: str) -> list[Line]:
        return _end(clients, source, stream, count)

    lines = [line for each in in_parallel(end_of, streams) for line in each]
    lines.sort(key=lambda line: line.moment)
    return lines[-count:]


def _last_streams(clients: Clients, source: Source) -> list[str]:
    request: dict[str, Any] = {"logGroupName": source.job.group}
    if source.job.prefix:
        request["logStreamNamePrefix"] = source.job.prefix
    else:
        # Both together are not allowed (DescribeLogStreams, orderBy).
        request.update(orderBy="LastEventTime", descending=True, limit=_STREAMS)
    found: list[str] = []
    try:
        for each in clients.pages(
            "logs:DescribeLogStreams", _about(source), "logStreams", **request
        ):
            if source.job.has_stream(str(each["logStreamName"])):
                found.append(str(each["logStreamName"]))
            if len(found) >= _STREAMS:
                break
    except Missing:
        return []
    return found


def _end(clients: Clients, source: Source, stream: str, count: int) -> list[Line]:
    """Read a stream backwards; pages may be empty although there is more (GetLogEvents)."""
    request: dict[str, Any] = {
        "logGroupName": source.job.group,
        "logStreamName": stream,
        "limit": count,
        "startFromHead": False,
    }
    if source.since is not None:
        request["startTime"] = source.since
    if source.until is not None:
        request["endTime"] = source.until
    lines: list[Line] = []
    token = ""
    try:
        while len(lines) < count:
            more = {"nextToken": token} if token else {}
            answer = clients.call("logs:GetLogEvents", _about(source), **request, **more)
            lines = [_line(source, stream, each) for each in answer.get("events", [])] + lines
            following = str(answer.get("nextBackwardToken") or "")
            if not following or following == token:
                break
            token = following
    except Missing:
        return []
    return lines[-count:]


class Follower:
    """Gives the new lines of an execution's steps, each once.

    Args:
        since: milliseconds; lines before are not given.
    """

    def __init__(self, clients: Clients, since: int | None = None) -> None:
        self._clients, self._since = clients, since
        self._newest: dict[tuple[str, str], int] = {}
        self._given: dict[tuple[str, str], dict[str, int]] = {}

    def new_lines(self, sources: Iterable[Source]) -> list[Line]:
        """Return what came since it was asked last, oldest first.

        Raises:
            Refused: a call was refused.
        """
        listed = list(sources)
        found = [
            line for lines in in_parallel(self._read, listed, most=4) for line in lines
        ]  # CloudWatch takes few FilterLogEvents a second.
        found.sort(key=lambda line: line.moment)
        return found

    def _read(self, source: Source) -> list[Line]:
        key = (source.step, source.job.arn)
        newest = self._newest.get(key)
        since = newest - _LATE if newest is not None else self._since
        if self._since is not None and since is not None:
            since = max(since, self._since)
        given = self._given.get(key, {})
        lines = []
        for line in read_lines(self._clients, source, since=since):
            mark = line.id or f"{line.stream} {line.moment} {line.text}"
            if mark not in given:
                given[mark] = line.moment
                lines.append(line)
            newest = max(newest or 0, line.moment)
        if newest is not None:
            self._newest[key] = newest
            # What is older is not asked for again.
            self._given[key] = {m: at for m, at in given.items() if at >= newest - _LATE}
        return lines


def follow(
    clients: Clients,
    arn: str,
    give: Callable[[list[Line]], None],
    *,
    chosen: Callable[[StepRecord], bool] = lambda _: True,
    since: int | None = None,
    pause: float = 5.0,
    sleep: Callable[[float], None] = time.sleep,
) -> Execution:
    """Give the lines of an execution as they come, until it is over and no more come.

    Args:
        give: gets the new lines.
        chosen: which steps' lines.
        since: milliseconds; lines before are not given.
        pause: seconds between two questions.

    Raises:
        Refused: a call was refused for a reason that does not pass by itself.
    """
    follower = Follower(clients, since)
    quiet, tried = 0, 0
    while True:
        try:
            execution = read_execution(clients, arn)
            lines = follower.new_lines(sources_of(filter(chosen, execution.steps)))
        except Refused as refused:
            tried += 1
            if not is_passing(refused) or tried > 20:
                raise
            sleep(min(pause * 2**tried, 60.0))
            continue
        tried = 0
        if lines:
            give(lines)
        if execution.is_over:
            # CloudWatch gets lines some seconds after they were written.
            quiet = 0 if lines else quiet + 1
            if quiet >= _SETTLING:
                return execution
        sleep(pause)

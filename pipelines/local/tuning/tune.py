"""Running a tuning job: trials side by side, each proposed from what those before it found.

Sources: Amazon SageMaker API Reference, CreateHyperParameterTuningJob and
DescribeHyperParameterTuningJob; Developer Guide, "Automatic model tuning".
"""

from __future__ import annotations

import concurrent.futures
import json
import time
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from typing import Any

from pipelines.local.jobs import JobContext, JobFailed, JobStopped, Progress, discard
from pipelines.local.tuning.description import describe
from pipelines.local.tuning.early import EarlyStop, Halving, MedianStop
from pipelines.local.tuning.kept import KeptTrials, mark_of
from pipelines.local.tuning.parts import Part, read_parts
from pipelines.local.tuning.search import Point
from pipelines.local.tuning.spaces import SpaceError, as_hyperparameter
from pipelines.local.tuning.trial import Instead, Running, Trial, training_request

_TICK = 0.1


@dataclass(frozen=True)
class Limits:
    """When no further trial starts.

    Attributes:
        jobs: trials in all; None where the grid says.
        parallel: trials at once.
        seconds: how long the tuning job may take.
        target: the objective that is good enough.
        patience: trials without a better one after which it is over.
    """

    jobs: int | None
    parallel: int
    seconds: float | None
    target: float | None
    patience: int | None


def run_tuning(
    request: Mapping[str, Any],
    job: JobContext,
    say: Callable[[str], None],
    earlier: Iterable[Mapping[str, Any]] = (),
    inputs: Sequence[str] | None = (),
    instead: Instead = lambda _request: None,
) -> dict[str, Any]:
    """Run a tuning job.

    Args:
        request: the resolved arguments of CreateHyperParameterTuningJob, judged by its shape.
        job: the tuning job's own name, folder and log; its trials get folders and logs below.
        say: told a line for every trial that ends.
        earlier: summaries of the training jobs of earlier tuning jobs, for a warm start.
        inputs: URIs whose content counts where a search is taken up again; None: it never is.
        instead: what prepares another command than the container's for a training request.

    Returns:
        The response of DescribeHyperParameterTuningJob with the TrainingJobSummaries of
        ListTrainingJobsForHyperParameterTuningJob, the best first.

    Raises:
        JobFailed: the request cannot be searched, or no trial came to an objective.
        JobStopped: the caller cancelled it.
    """
    config = request["HyperParameterTuningJobConfig"]
    # The service draws a seed; here an unchanged search tries the same values again.
    written = json.dumps(config, sort_keys=True, default=str)
    seed = int(config.get("RandomSeed") or zlib.crc32(written.encode()))
    try:
        parts = read_parts(request, seed)
    except SpaceError as error:
        raise JobFailed(f"ClientError: {error}", job.log) from None
    jobs = list(earlier)
    taught = [[part.learn_from(summary) for part in parts] for summary in jobs]
    known = sum(map(any, taught))
    if jobs:
        say(f"warm start: {known} of {len(jobs)} earlier training jobs tried this search's values")
    mark = mark_of(request, inputs, job.objects) if inputs is not None else ""
    kept = KeptTrials(job.log.with_suffix(""), mark, job.objects.exists)
    return _Tuning(request, job, say, parts, jobs, kept, instead).run()


def _limits(config: Mapping[str, Any]) -> Limits:
    resources = config.get("ResourceLimits", {})
    criteria = config.get("TuningJobCompletionCriteria") or {}
    seconds = resources.get("MaxRuntimeInSeconds")
    target = criteria.get("TargetObjectiveMetricValue")
    patience = (criteria.get("BestObjectiveNotImproving") or {}).get(
        "MaxNumberOfTrainingJobsNotImproving"
    )
    jobs = resources.get("MaxNumberOfTrainingJobs")
    return Limits(
        jobs=int(jobs) if jobs is not None else None,
        parallel=max(1, int(resources.get("MaxParallelTrainingJobs") or 1)),
        seconds=float(seconds) if seconds is not None else None,
        target=float(target) if target is not None else None,
        patience=int(patience) if patience is not None else None,
    )


def _early(config: Mapping[str, Any]) -> EarlyStop | None:
    if config.get("Strategy") == "Hyperband":
        band = (config.get("StrategyConfig") or {}).get("HyperbandStrategyConfig") or {}
        most = band.get("MaxResource")
        return Halving(int(band.get("MinResource") or 1), int(most) if most else None)
    return MedianStop() if config.get("TrainingJobEarlyStoppingType") == "Auto" else None


class _Tuning:
    """The loop that starts trials and takes in their ends, all in one thread."""

    def __init__(
        self,
        request: Mapping[str, Any],
        job: JobContext,
        say: Callable[[str], None],
        parts: tuple[Part, ...],
        earlier: Sequence[Mapping[str, Any]],
        kept: KeptTrials,
        instead: Instead,
    ) -> None:
        config = request["HyperParameterTuningJobConfig"]
        self._request = request
        self._job = job
        self._say = say
        self._parts = list(parts)
        self._earlier = earlier
        self._kept = kept
        self._instead = instead
        self._limits = _limits(config)
        self._early = _early(config)
        self._trials: list[Trial] = []
        self._running: dict[Future[Trial], Running] = {}
        self._number = 0
        self._best: float | None = None
        self._since_best = 0
        self._over = False
        self._created = datetime.now(timezone.utc)
        self._started = time.monotonic()

    def run(self) -> dict[str, Any]:
        """Run to the end."""
        with ThreadPoolExecutor(self._limits.parallel, thread_name_prefix="trial") as pool:
            try:
                self._turn(pool)
            except BaseException:
                self._stop_all()
                raise
        cancelled = self._job.cancelled.is_set()
        status = "Stopped" if cancelled else "Completed"
        if not cancelled and not any(trial.value is not None for trial in self._trials):
            status = "Failed"
        description = describe(
            self._request, self._job, tuple(self._trials), self._created, status, self._earlier
        )
        if status == "Completed":
            return description
        ending: JobFailed | JobStopped
        ending = JobStopped() if cancelled else JobFailed(self._failure(), self._job.log)
        if isinstance(ending, JobFailed):
            description["FailureReason"] = ending.reason
        ending.description = description
        raise ending

    def _turn(self, pool: ThreadPoolExecutor) -> None:
        while True:
            while self._start(pool):
                pass
            if not self._running:
                return
            done, _ = concurrent.futures.wait(
                self._running, timeout=_TICK, return_when=concurrent.futures.FIRST_COMPLETED
            )
            # By number, so that equal searches learn in equal order where trials end together.
            for future in sorted(done, key=lambda each: self._running[each].trial.number):
                running = self._running.pop(future)
                if self._running:  # the last one's place is the step's own
                    self._job.room.leave()
                trial = future.result()
                self._kept.keep(trial)
                self._take(running.part, trial)
            if self._job.cancelled.is_set() or self._is_overdue():
                self._over = True
                self._stop_all()

    def _is_overdue(self) -> bool:
        seconds = self._limits.seconds
        return seconds is not None and time.monotonic() - self._started > seconds

    def _stop_all(self) -> None:
        for running in self._running.values():
            running.stop.set()

    def _start(self, pool: ThreadPoolExecutor) -> bool:
        """Start the next trial, or take it up; False where none is left or may start now."""
        limits = self._limits
        if self._over or self._job.cancelled.is_set():
            return False
        if limits.jobs is not None and self._number >= limits.jobs:
            return False
        if len(self._running) >= limits.parallel:
            return False
        if self._running and not self._job.room.enter_more():
            return False
        further = bool(self._running)
        while self._parts:
            # Definitions take turns, as long as they have something to try.
            part = self._parts.pop(0)
            point = part.search.propose()
            if point is None:
                continue
            self._parts.append(part)
            self._number += 1
            kept = self._kept.find(self._number, part.name)
            if kept is not None:
                self._leave(further)
                self._take(part, kept, " (kept)")
                return True
            running = self._prepare(part, point)
            self._advance(running.trial, "running", _tried(running.trial))
            self._running[pool.submit(self._run, running)] = running
            return True
        self._leave(further)
        return False

    def _leave(self, further: bool) -> None:
        if further:
            self._job.room.leave()

    def _prepare(self, part: Part, point: Point) -> Running:
        job, number = self._job, self._number
        # The service's names end in a number and eight characters as well.
        mark = format(zlib.crc32(f"{job.name}-{number}".encode()), "08x")
        name = f"{job.name[:50]}-{number:03d}-{mark}"
        trial_job = replace(
            job,
            name=name,
            arn=job.arn.rpartition(":")[0] + f":training-job/{name}",
            folder=job.folder / f"{number:03d}",
            log=job.log.with_suffix("") / f"{number:03d}.log",
            environment={**job.environment, **job.variables(f"{number:03d}")},
        )
        request = training_request(part.definition, point, part.objective, name)
        return Running(
            trial=Trial(number, part.name, point),
            request=request,
            instead=self._instead(request),
            job=trial_job,
            part=part,
            early=self._early,
        )

    @staticmethod
    def _run(running: Running) -> Trial:
        try:
            return running.run()
        finally:
            discard(running.job.folder)

    def _take(self, part: Part, trial: Trial, note: str = "") -> None:
        self._trials.append(trial)
        value = trial.value
        if value is not None:
            part.learn(trial.point, value)
        score = part.objective.score(value) if value is not None else None
        better = (
            trial.status == "Completed"
            and score is not None
            and (self._best is None or score > self._best)
        )
        if better and score is not None:
            self._best, self._since_best = score, 0
            target = self._limits.target
            self._over = self._over or (
                target is not None and score >= part.objective.score(target)
            )
        else:
            self._since_best += 1
        patience = self._limits.patience
        if patience is not None and self._since_best >= patience:
            self._over = True
        told = _line(trial, part, better) + note
        self._advance(trial, "succeeded" if trial.status == "Completed" else trial.status.lower(),
                      told)  # fmt: skip
        self._say(f"job {trial.number:03d}: {told}")

    def _advance(self, trial: Trial, state: str, note: str) -> None:
        done, total = len(self._trials), self._limits.jobs
        self._job.advance(Progress(done, total, "jobs", f"{trial.number:03d}", state, note))

    def _failure(self) -> str:
        failed = [trial for trial in self._trials if trial.status == "Failed"]
        if failed:
            first = failed[0]
            return (
                f"ClientError: none of {len(self._trials)} training jobs came to an objective; "
                f"job {first.number:03d}: {first.reason}"
            )
        return (
            f"ClientError: no objective was found in the logs of {len(self._trials)} training jobs"
        )


def _line(trial: Trial, part: Part, better: bool) -> str:
    """Say what came of a trial: ``depth=8  auc=0.91 (best so far)``."""
    tried = _tried(trial)
    if trial.status == "Failed":
        return f"{tried}  failed: {trial.reason}"
    metric = part.objective.metric
    told = f"{metric}={trial.value:g}" if trial.value is not None else f"no {metric} in its log"
    mark = " (best so far)" if better else ""
    ended = " (ended early)" if trial.status == "Stopped" else ""
    return f"{tried}  {told}{mark}{ended}"


def _tried(trial: Trial) -> str:
    return " ".join(f"{name}={_short(value)}" for name, value in trial.point.items())


def _short(value: str | int | float) -> str:
    return f"{value:.4g}" if isinstance(value, float) else as_hyperparameter(value)

"""The training job definitions of a tuning job, each with its own space, objective and search."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipelines.local.tuning.objective import Objective, objective_of
from pipelines.local.tuning.search import Point, Search, make_search
from pipelines.local.tuning.spaces import Space, SpaceError, read_space


@dataclass(frozen=True)
class Part:
    """One training job definition.

    Attributes:
        name: its DefinitionName; empty where there is but one.
        definition: the request's map.
        objective: what its trials are compared by.
        space: what is searched.
        search: what proposes its trials.
    """

    name: str
    definition: Mapping[str, Any]
    objective: Objective
    space: Space
    search: Search

    def learn(self, point: Point, value: float) -> None:
        """Take in a trial's objective; points of another space teach nothing."""
        if point.keys() == {axis.name for axis in self.space}:
            self.search.learn(point, self.objective.score(value))

    def learn_from(self, summary: Mapping[str, Any]) -> bool:
        """Take in a training job of an earlier tuning job; whether it teaches anything.

        Args:
            summary: a HyperParameterTrainingJobSummary.
        """
        final = summary.get("FinalHyperParameterTuningJobObjectiveMetric") or {}
        tuned = summary.get("TunedHyperParameters") or {}
        if final.get("MetricName") != self.objective.metric or not tuned.keys() >= {
            axis.name for axis in self.space
        }:
            return False
        point = {axis.name: axis.read(tuned[axis.name]) for axis in self.space}
        if not all(axis.holds(point[axis.name]) for axis in self.space):
            return False
        self.learn(point, float(final["Value"]))
        return True


def read_parts(request: Mapping[str, Any], seed: int) -> tuple[Part, ...]:
    """Return the definitions of a request.

    Raises:
        SpaceError: one has nothing to search, or no objective that can be read.
    """
    config = request["HyperParameterTuningJobConfig"]
    single = request.get("TrainingJobDefinition")
    definitions = [single] if single else list(request.get("TrainingJobDefinitions") or ())
    if not definitions:
        raise SpaceError("the request has no TrainingJobDefinition")
    parts = []
    for number, definition in enumerate(definitions):
        ranges = definition.get("HyperParameterRanges") or config.get("ParameterRanges") or {}
        target = definition.get("TuningObjective") or config.get("HyperParameterTuningJobObjective")
        if not target:
            raise SpaceError("the request names no objective")
        objective = objective_of(definition, target)
        if objective is None:
            raise SpaceError(
                f"no MetricDefinitions say how the objective {target.get('MetricName')!r} is read "
                "from a job's log"
            )
        space = read_space(ranges)
        search = make_search(str(config.get("Strategy")), space, seed + number)
        name = str(definition.get("DefinitionName") or "")
        parts.append(Part(name, definition, objective, space, search))
    return tuple(parts)

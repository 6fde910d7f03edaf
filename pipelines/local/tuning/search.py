"""How a tuning job chooses what to try next: a grid, by chance, or from what it has seen."""

from __future__ import annotations

import contextlib
import itertools
import random
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

from pipelines.local.tuning.spaces import Choice, Space, SpaceError, Span, Value

DRAWS = 100
"""How often a value that was tried already is drawn again before it is taken after all."""

Point = dict[str, Value]


class Search(Protocol):
    """Proposes points of a space."""

    def propose(self) -> Point | None:
        """Return what to try next; None where everything was tried."""

    def learn(self, point: Mapping[str, Value], score: float) -> None:
        """Take in how well a point did; greater is better."""


def make_search(strategy: str, space: Space, seed: int) -> Search:
    """Return the search of a strategy.

    Args:
        strategy: ``Grid``, ``Random``, ``Bayesian`` or ``Hyperband``.
        space: what is searched.
        seed: equal seeds give equal proposals, as long as equal scores come in equal order.

    Raises:
        SpaceError: the strategy cannot search this space.
    """
    if strategy == "Grid":
        return GridSearch(space)
    if strategy == "Bayesian":
        return BayesianSearch(space, seed)
    # Hyperband draws by chance; what makes it Hyperband is which jobs it ends early.
    return RandomSearch(space, seed)


class GridSearch:
    """Every combination of listed values, once each, in the order of the lists."""

    def __init__(self, space: Space) -> None:
        for axis in space:
            if not isinstance(axis, Choice):
                raise SpaceError(f"a grid has listed values alone, and {axis.name!r} has a range")
        listed = [axis.values for axis in space if isinstance(axis, Choice)]
        self._names = [axis.name for axis in space]
        self._rest: Iterator[Sequence[Value]] = itertools.product(*listed)

    def propose(self) -> Point | None:
        """Return the next combination."""
        values = next(self._rest, None)
        return None if values is None else dict(zip(self._names, values, strict=True))

    def learn(self, point: Mapping[str, Value], score: float) -> None:
        """A grid has nothing to learn."""


class RandomSearch:
    """Points by chance, no point twice as far as there are others."""

    def __init__(self, space: Space, seed: int) -> None:
        self._space = space
        self._source = random.Random(seed)  # noqa: S311 - a search is no secret
        self._tried: set[tuple[Value, ...]] = set()

    def propose(self) -> Point:
        """Return a point."""
        for _ in range(DRAWS):
            values = tuple(axis.draw(self._source) for axis in self._space)
            if values not in self._tried:
                break
        self._tried.add(values)
        return dict(zip((axis.name for axis in self._space), values, strict=True))

    def learn(self, point: Mapping[str, Value], score: float) -> None:
        """Chance has nothing to learn."""


class BayesianSearch:
    """Points where a model of the scores so far expects the most (Optuna's TPE)."""

    def __init__(self, space: Space, seed: int) -> None:
        # Half a second to import, and only such a search needs it.
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self._optuna = optuna
        self._space = space
        self._distributions = {axis.name: self._distribution(axis) for axis in space}
        self._study = optuna.create_study(
            direction="maximize", sampler=optuna.samplers.TPESampler(seed=seed)
        )
        self._asked: dict[tuple[tuple[str, Value], ...], list[Any]] = {}

    def _distribution(self, axis: Span | Choice) -> Any:
        kinds = self._optuna.distributions
        if isinstance(axis, Choice):
            return kinds.CategoricalDistribution(axis.values)
        if axis.whole:
            logarithmic = axis.scale == "Logarithmic"
            return kinds.IntDistribution(int(axis.least), int(axis.greatest), log=logarithmic)
        ends = sorted((axis.bend(axis.least), axis.bend(axis.greatest)))
        return kinds.FloatDistribution(*ends)

    def propose(self) -> Point:
        """Return a point."""
        trial = self._study.ask(self._distributions)
        point = {axis.name: self._value(axis, trial.params[axis.name]) for axis in self._space}
        self._asked.setdefault(tuple(point.items()), []).append(trial)
        return point

    def _value(self, axis: Span | Choice, found: Any) -> Value:
        if isinstance(axis, Choice) or axis.whole:
            return found  # type: ignore[no-any-return]  # what the distribution above can give
        return axis.straighten(found)

    def learn(self, point: Mapping[str, Value], score: float) -> None:
        """Take in a proposal's score, or that of a point that was tried elsewhere."""
        asked = self._asked.get(tuple(point.items()))
        if asked:
            self._study.tell(asked.pop(0), score)
            return
        places = {
            axis.name: axis.bend(float(point[axis.name]))
            if isinstance(axis, Span) and not axis.whole
            else point[axis.name]
            for axis in self._space
        }
        # A value that this search would never try, such as a category that is gone, teaches it
        # nothing.
        with contextlib.suppress(ValueError):
            self._study.add_trial(
                self._optuna.trial.create_trial(
                    params=places, distributions=self._distributions, value=score
                )
            )

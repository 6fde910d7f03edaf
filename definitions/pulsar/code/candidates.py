"""Pulsar candidates as rows of numbers: the columns, a strict reader and a writer."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from job import BadInputError
from numpy.typing import NDArray

# Names and order of HTRU2's documentation (Lyon et al. 2016). In the published file the values
# of the columns called "excess kurtosis" are skewnesses and the other way round; whoever reads
# an importance off a picture should know it, the classifiers don't mind.
FEATURES = (
    "profile_mean",
    "profile_standard_deviation",
    "profile_excess_kurtosis",
    "profile_skewness",
    "dm_snr_mean",
    "dm_snr_standard_deviation",
    "dm_snr_excess_kurtosis",
    "dm_snr_skewness",
)
LABEL = "class"
COLUMNS = (*FEATURES, LABEL)

MAX_PROBLEMS = 10  # as many as somebody reads
NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")


class BadCandidatesError(BadInputError):
    """The data can't be used; the message says where and why."""


@dataclass(frozen=True)
class Candidates:
    """A table of candidates: one row of ``FEATURES`` and one class (1 = pulsar) for each."""

    features: NDArray[np.float64]
    labels: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.labels)


def read_candidates(path: Path) -> Candidates:
    """Read a file of candidates, with or without a header row; lines end in CR, LF or CRLF.

    Raises BadCandidatesError for anything else than rows of eight finite numbers and a class
    0 or 1, for an empty file, and for a file that holds one class only.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        message = f"{path.name}: not a text file (byte {error.start} is no UTF-8)"
        raise BadCandidatesError(message) from error
    rows = parse_rows(text, COLUMNS, path.name)
    table = np.array(rows, dtype=np.float64)
    labels = table[:, -1].astype(np.int64)
    classes = sorted(set(labels.tolist()))
    if len(classes) < 2:
        raise BadCandidatesError(
            f"{path.name}: all {len(rows)} rows have class {classes[0]} (column {len(COLUMNS)}); "
            "a classifier needs both 0 and 1"
        )
    return Candidates(table[:, :-1], labels)


def parse_rows(text: str, columns: Sequence[str], source: str) -> list[list[float]]:
    """Parse comma-separated rows of the given columns; raise BadCandidatesError for bad ones.

    A first row that holds just the columns' names is skipped. Rows count from 1, as in an
    editor, the header among them.
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n").rstrip("\n \t").split("\n")
    if lines == [""]:
        raise BadCandidatesError(f"{source}: the file is empty")
    first = [cell.strip().strip('"') for cell in lines[0].split(",")]
    start = 1 if first == list(columns) else 0
    rows: list[list[float]] = []
    problems: list[str] = []
    for number, line in enumerate(lines[start:], start + 1):
        row, wrong = parse_row(line, columns)
        rows.append(row)
        problems.extend(f"{source}: row {number}{problem}" for problem in wrong)
    if problems:
        raise BadCandidatesError(list_problems(problems))
    if not rows:
        raise BadCandidatesError(f"{source}: a header and no rows")
    return rows


def parse_row(line: str, columns: Sequence[str]) -> tuple[list[float], list[str]]:
    """Parse one row; return its numbers and what is wrong with it."""
    if not line.strip():
        return [], [": the row is empty"]
    cells = line.split(",")
    if len(cells) != len(columns):
        return [], [f": {len(cells)} columns instead of {len(columns)}"]
    row: list[float] = []
    problems: list[str] = []
    for position, (cell, name) in enumerate(zip(cells, columns, strict=True), 1):
        value = parse_number(cell)
        place = f", column {position} ({name})"
        if value is None:
            problems.append(f"{place}: {show(cell)} is not a finite number")
        elif name == LABEL and value not in (0.0, 1.0):
            problems.append(f"{place}: {show(cell)} is no class; it is 0 or 1 (a pulsar)")
        else:
            row.append(value)
    return row, problems


def parse_number(cell: str) -> float | None:
    """Return the number a cell holds, or None where it holds something else, NaN or infinity."""
    cell = cell.strip()
    if not NUMBER.fullmatch(cell):
        return None
    value = float(cell)
    return value if math.isfinite(value) else None


def list_problems(problems: Sequence[str]) -> str:
    """Join problems to a message, the first ones in full."""
    shown = list(problems[:MAX_PROBLEMS])
    if len(problems) > len(shown):
        shown.append(f"and {len(problems) - len(shown)} more")
    return "\n".join(shown)


def show(cell: str) -> str:
    """Quote a cell for a message, shortened and with control characters escaped."""
    cell = cell.strip()
    return ascii(cell if len(cell) <= 40 else cell[:37] + "...")


def format_candidates(candidates: Candidates) -> str:
    """Format candidates as CSV with a header; every number reads back as the very same."""
    lines = [",".join(COLUMNS)]
    for row, label in zip(candidates.features.tolist(), candidates.labels.tolist(), strict=True):
        lines.append(",".join([*map(repr, row), str(label)]))
    return "\n".join(lines) + "\n"


def find_only_file(folder: Path) -> Path:
    """Return the one data file of a folder: the only ``*.csv``, else the only file.

    Raises BadCandidatesError when there is none or the choice is open.
    """
    names = sorted(folder.iterdir()) if folder.is_dir() else []
    files = [path for path in names if path.is_file() and not path.name.startswith(".")]
    tables = [path for path in files if path.suffix.lower() == ".csv"] or files
    if len(tables) != 1:
        found = ", ".join(path.name for path in tables) or "none"
        raise BadCandidatesError(f"{folder}: one data file is wanted here; found: {found}")
    return tables[0]


def split(candidates: Candidates, test_size: float, seed: int) -> tuple[Candidates, Candidates]:
    """Split at random, the same for the same seed; raise BadCandidatesError if a part lacks
    one of the classes.
    """
    from sklearn.model_selection import train_test_split  # slow to import: bad data says so first

    if len(candidates) < 2:
        raise BadCandidatesError("one row can't be split into a training and a test set")
    parts = train_test_split(
        candidates.features, candidates.labels, test_size=test_size, random_state=seed
    )
    train, test = Candidates(parts[0], parts[2]), Candidates(parts[1], parts[3])
    for name, part in (("training", train), ("test", test)):
        if len(set(part.labels.tolist())) < 2:
            raise BadCandidatesError(
                f"of {len(candidates)} rows the {name} set gets {len(part)}, all of class "
                f"{part.labels[0]}: more rows are needed"
            )
    return train, test

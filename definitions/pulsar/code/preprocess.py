"""Processing job: check the candidates and split them into a training and a test set."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from candidates import find_only_file, format_candidates, read_candidates, split
from job import finish, write_files


def parse_arguments(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Parse the job's arguments; the folders are the service's unless given."""
    base = Path("/opt/ml/processing")
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--test-size", type=float, default=0.2, help="share of the rows")
    parser.add_argument("--candidates", type=Path, default=base / "candidates")
    parser.add_argument("--train", type=Path, default=base / "train")
    parser.add_argument("--test", type=Path, default=base / "test")
    parser.add_argument("--message", type=Path, default=Path("/opt/ml/output/message"))
    options = parser.parse_args(argv)
    if not 0.0 < options.test_size < 1.0:
        parser.error("--test-size is a share between 0 and 1")
    if not 0 <= options.seed < 2**32:
        parser.error("--seed is a whole number from 0 to 4294967295")
    return options


def preprocess(options: argparse.Namespace) -> None:
    """Read, check and split the candidates; write both sets or nothing."""
    source = find_only_file(options.candidates)
    candidates = read_candidates(source)
    train, test = split(candidates, options.test_size, options.seed)
    write_files(
        {
            options.train / "train.csv": format_candidates(train).encode(),
            options.test / "test.csv": format_candidates(test).encode(),
        }
    )
    pulsars = int(candidates.labels.sum())
    print(f"{source.name}: {len(candidates)} candidates, {pulsars} of them pulsars")
    print(f"train: {len(train)} rows, test: {len(test)} rows")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the job; return its exit code."""
    options = parse_arguments(argv)
    return finish(lambda: preprocess(options), options.message)


if __name__ == "__main__":
    sys.exit(main())

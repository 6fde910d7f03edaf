"""Downloads the data itself, as the scripts of AWS's examples do, and splits them."""

from __future__ import annotations

import argparse
import csv
import random
from pathlib import Path

import boto3

PARTS = {"train": 0.7, "validation": 0.15, "test": 0.15}


def main() -> None:
    """Reads the file that the argument names from S3; the label comes first in what is written."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--input-data", required=True)
    bucket, _, key = parser.parse_args().input_data.removeprefix("s3://").partition("/")
    boto3.resource("s3").Bucket(bucket).download_file(key, "/tmp/abalone.csv")
    with Path("/tmp/abalone.csv").open(newline="") as file:
        rows = [[row[-1], *row[1:-1]] for row in csv.reader(file)]
    random.Random(7).shuffle(rows)
    start = 0
    for name, share in PARTS.items():
        end = start + round(share * len(rows))
        folder = Path("/opt/ml/processing", name)
        with (folder / f"{name}.csv").open("w", newline="") as file:
            csv.writer(file).writerows(rows[start:end])
        start = end
    boto3.client("s3").put_object(Bucket=bucket, Key="log/rows.txt", Body=str(len(rows)).encode())


if __name__ == "__main__":
    main()

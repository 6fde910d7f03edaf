"""Write pipelines/lint/offerings.json: which regions lack which families of instances.

Usage: python scripts/offerings.py

Reads what moto, a test dependency, has recorded of Amazon EC2's DescribeInstanceTypeOfferings in
the commercial regions. Run it after an update of moto or botocore.
"""

from __future__ import annotations

import gzip
import json
import re
from importlib.util import find_spec
from pathlib import Path

from pipelines.service.instances import instance_types

TARGET = Path(__file__).parents[1] / "pipelines" / "lint" / "offerings.json"
OPERATIONS = (
    "CreateProcessingJob",
    "CreateTrainingJob",
    "CreateTransformJob",
    "CreateEndpointConfig",
)


def main() -> None:
    """Write the table."""
    spec = find_spec("moto")
    assert spec is not None and spec.origin is not None, "moto is not installed"
    folder = Path(spec.origin).parent / "ec2/resources/instance_type_offerings/region"
    offered: dict[str, set[str]] = {}
    for path in sorted(folder.glob("*.json.gz")):
        records = json.loads(gzip.decompress(path.read_bytes()))
        offered[path.name.split(".")[0]] = {r["InstanceType"].split(".")[0] for r in records}
    known = {one.split(".")[1] for name in OPERATIONS for one in instance_types(name)}
    anywhere = set().union(*offered.values())
    missing = {
        family: [region for region, families in offered.items() if family not in families]
        for family in sorted(known & anywhere)
    }
    table = {"regions": list(offered), "missing": {f: r for f, r in missing.items() if r}}
    text = json.dumps(table, indent=1) + "\n"
    # A family to a line, so that changes can be read.
    text = re.sub(r"\[\s+([^\]]*?)\s+\]", lambda m: f"[{' '.join(m[1].split())}]", text)
    TARGET.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()

"""A store with models in it, and servers for them."""

from __future__ import annotations

import io
import tarfile
import threading
from pathlib import Path
from typing import Any

from pipelines.local.isolation import choose
from pipelines.local.jobs import JobContext
from pipelines.local.objects import ObjectStore
from pipelines.local.serving import Container, Host, HostSettings

ACCOUNT, REGION = "111122223333", "eu-west-1"
SKLEARN = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
XGBOOST = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/sagemaker-xgboost:1.7-1"

# A model of the standard library: a line through weights that the archive holds.
SCRIPT = """
import json, os, time
from pathlib import Path

class UnsupportedFormatError(Exception):
    pass

def model_fn(model_dir):
    print("loading", os.environ["SAGEMAKER_REGION"], flush=True)
    return json.loads((Path(model_dir) / "weights.json").read_text())

def input_fn(body, content_type):
    if content_type != "text/csv":
        raise ValueError(f"content type {content_type} is not supported")
    assert isinstance(body, str)
    return [[float(item) for item in line.split(",")] for line in body.splitlines() if line]

def predict_fn(rows, model):
    made = []
    for row in rows:
        if row[0] == 6660:
            os._exit(9)
        if row[0] == 6670:
            raise SystemExit("a script may not end the server")
        if row[0] == 6680:
            raise KeyError("a mistake of the script")
        if row[0] < 0:
            time.sleep(-row[0])
        if len(row) != len(model):
            raise ValueError(f"a row has {len(row)} numbers instead of {len(model)}")
        made.append(sum(a * b for a, b in zip(row, model)))
    return made

def output_fn(prediction, accept):
    if accept == "application/json":
        return json.dumps({"predictions": prediction}), accept
    return "".join(f"{each}\\n" for each in prediction), "text/csv"
"""


def archive(files: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as packed:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            packed.addfile(info, io.BytesIO(content))
    return stream.getvalue()


class Place:
    """A folder with a store; its servers end with it."""

    def __init__(self, folder: Path, mode: str = "auto") -> None:
        self.folder = folder
        self.mode = mode
        self.objects = ObjectStore(folder / ".sagedag" / "s3", folder)
        self.cancelled = threading.Event()
        self.lines: list[str] = []
        self.hosts: list[Host] = []
        self.objects.put(
            "s3://bucket/model.tar.gz", archive({"weights.json": b"[1, 10, 100]", "empty": b""})
        )
        self.objects.put("s3://bucket/code.tar.gz", archive({"serve.py": SCRIPT.encode()}))

    def container(self, **changes: Any) -> Container:
        given: dict[str, Any] = {
            "image": SKLEARN,
            "model": "s3://bucket/model.tar.gz",
            "packed": True,
            "environment": {
                "SAGEMAKER_PROGRAM": "serve.py",
                "SAGEMAKER_SUBMIT_DIRECTORY": "s3://bucket/code.tar.gz",
            },
        }
        return Container(**{**given, **changes})

    def context(self) -> JobContext:
        name = f"host-{len(self.hosts)}"
        return JobContext(
            name=name,
            arn=f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:endpoint/{name}",
            folder=self.folder / ".sagedag" / "work" / name,
            objects=self.objects,
            isolation=choose(self.mode),
            cancelled=self.cancelled,
            on_line=self.lines.append,
            log=self.folder / ".sagedag" / "logs" / f"{name}.log",
            account=ACCOUNT,
            region=REGION,
        )

    def host(self, container: Container | None = None, **settings: Any) -> Host:
        """A server that is ready."""
        made = self.idle_host(container, **settings)
        made.start(60)
        return made

    def idle_host(self, container: Container | None = None, **settings: Any) -> Host:
        made = Host(container or self.container(), self.context(), HostSettings(**settings))
        self.hosts.append(made)
        return made

    def close(self) -> None:
        for host in self.hosts:
            host.stop()

"""What a notebook that ran shows: the pictures of its cells."""

from __future__ import annotations

import base64
import binascii
import json
import tarfile
from collections.abc import Iterator, Mapping
from typing import Any

from pipelines.local.history import StepRecord
from pipelines.local.measures import place_of
from pipelines.local.places import at, listed, output_uris
from pipelines.local.store import Store
from pipelines.report.model import Picture

MAX_NOTEBOOK = 64 * 1024 * 1024
MAX_PICTURES = 12
_KINDS = ("image/png", "image/jpeg", "image/gif")


def notebook_pictures(step: StepRecord, store: Store) -> tuple[Picture, ...]:
    """Return the pictures that a NotebookJob step's cells show, with the cell's number.

    Source: nbformat 4, output types ``display_data`` and ``execute_result``.
    """
    if at(step.request, "Environment", "SM_INPUT_NOTEBOOK_NAME") is None:
        return ()
    made: list[Picture] = []
    for name, document in _notebooks(step, store):
        for number, cell in enumerate(listed(document, "cells"), 1):
            for output in listed(cell, "outputs"):
                data = at(output, "data")
                for kind in _KINDS if isinstance(data, Mapping) else ():
                    if len(made) < MAX_PICTURES and (text := _base64(data.get(kind))):
                        made.append(Picture(f"cell {number}", name, f"data:{kind};base64,{text}"))
    return tuple(made)


def _notebooks(step: StepRecord, store: Store) -> Iterator[tuple[str, Any]]:
    """Yield the notebooks in a step's output archive; what cannot be read is passed over."""
    for name, uri in output_uris(step):
        path = place_of(uri, store) if name == "output" else None
        try:
            if path is None or not path.is_file():
                continue
            with tarfile.open(path) as archive:
                for member in archive:
                    if not member.name.endswith(".ipynb") or member.size > MAX_NOTEBOOK:
                        continue
                    stream = archive.extractfile(member)
                    if stream is not None:
                        yield member.name.rpartition("/")[2], json.loads(stream.read())
        except (OSError, tarfile.TarError, ValueError, RecursionError, EOFError):
            continue


def _base64(value: object) -> str:
    """Return a picture as one line of base64; empty where it is none."""
    text = "".join(value) if isinstance(value, list) else value
    if not isinstance(text, str):
        return ""
    try:
        return base64.b64encode(base64.b64decode(text)).decode()
    except (binascii.Error, ValueError):
        return ""

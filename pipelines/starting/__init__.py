"""A small working project to start from: templates and what writes them."""

from __future__ import annotations

import os
import random
import re
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.errors import UsageError

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable  # at run time only from Python 3.11 on

_TEMPLATES = "project"
_SUFFIX = ".jinja"
# The templates' folder that stands for the definition's own.
_DEFINITION = "pipeline"
_FALLBACK = "example"
# botocore: CreatePipelineRequest$PipelineName is `[a-zA-Z0-9](-*[a-zA-Z0-9]){0,255}`; a model
# package group's name is at most 63 characters long.
NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")
ROWS = 240


def name_from(folder: Path) -> str:
    """Return a pipeline's name made of a folder's; `example` where nothing of it can be used."""
    words = re.findall(r"[a-z0-9]+", folder.resolve().name.lower())
    return "-".join(words)[:63].rstrip("-") or _FALLBACK


def project_files(name: str) -> dict[str, str]:
    """Return a starter project: file names relative to its folder, and their text.

    Args:
        name: the pipeline's name.

    Raises:
        UsageError: SageMaker takes no pipeline of that name.
    """
    if not NAME.fullmatch(name):
        raise UsageError(
            f"`{name}` is no name for a pipeline",
            "letters, digits and single hyphens between them, at most 63 characters",
        )
    from jinja2 import Environment, StrictUndefined

    # Definitions have `{{ }}` and `${ }` of their own, so the templates use other brackets.
    engine = Environment(
        variable_start_string="@{",
        variable_end_string="}@",
        block_start_string="@%",
        block_end_string="%@",
        comment_start_string="@#",
        comment_end_string="#@",
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 - YAML, Python and Markdown; the name is checked above
    )
    # A name such as `true` or `1e5` is text only between quotes.
    plain = name[0].isalpha() and name.lower() not in ("true", "false", "null")
    scalar = name if plain else f'"{name}"'
    made = {}
    for path, template in _walk(files(__package__) / _TEMPLATES, ""):
        place = re.sub(rf"/{_DEFINITION}/", f"/{name}/", path).removesuffix(_SUFFIX)
        text = template.read_text(encoding="utf-8")
        made[place] = engine.from_string(text).render(name=name, scalar=scalar, rows=ROWS)
    made[f"definitions/{name}/data/flowers.csv"] = sample_data()
    return dict(sorted(made.items()))


def _walk(folder: Traversable, prefix: str) -> Iterator[tuple[str, Traversable]]:
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _walk(entry, f"{prefix}{entry.name}/")
        elif entry.name.endswith(_SUFFIX):
            yield f"{prefix}{entry.name}", entry


def sample_data(rows: int = ROWS, seed: int = 7) -> str:
    """Return made-up measurements of two kinds of flower as CSV, the same for the same seed."""
    draw = random.Random(seed)  # noqa: S311 - numbers to play with
    lines = ["petal_length,petal_width,sepal_length,kind"]
    for row in range(rows):
        kind = row % 2
        size = draw.gauss(0.0, 0.3)
        petal = 4.2 + 1.1 * kind + size + draw.gauss(0.0, 0.3)
        width = 1.3 + 0.5 * kind + 0.3 * size + draw.gauss(0.0, 0.2)
        sepal = 5.9 + 0.6 * kind + size + draw.gauss(0.0, 0.4)
        lines.append(f"{petal:.2f},{width:.2f},{sepal:.2f},{kind}")
    return "\n".join(lines) + "\n"


def write_project(
    folder: Path,
    contents: dict[str, str],
    *,
    force: bool = False,
    hint: str = "choose another folder, or move these away",
) -> None:
    """Write files below ``folder``, all of them new.

    Args:
        folder: made where it is missing.
        contents: file names relative to it, and their text.
        force: write over files that are there.
        hint: what to do where files are in the way.

    Raises:
        UsageError: a file is there already (nothing was written then), or the disk refuses.
    """
    places = {folder / name: text for name, text in contents.items()}
    there = [] if force else [path for path in places if os.path.lexists(path)]
    if there:
        listed = "".join(f"\n  {path}" for path in there)
        raise UsageError(f"nothing was written, because this would be overwritten:{listed}", hint)
    path = folder
    try:
        for path, text in places.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            # What is there is replaced, not followed where it is a link.
            if force:
                path.unlink(missing_ok=True)
            # "x": whoever makes the file in this moment keeps it.
            with path.open("x", encoding="utf-8", newline="\n") as stream:
                stream.write(text)
    except OSError as error:
        raise UsageError(f"{path} can't be written: {error.strerror}") from error

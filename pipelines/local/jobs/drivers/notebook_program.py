"""What runs a notebook job's notebook; runs inside a job.

The runner copies this file beside the job: it imports the standard library and papermill alone.
Source of the contract: the variables that the SDK's ``NotebookJobStep`` writes, and the Developer
Guide, "Parameterize your notebook".
"""

from __future__ import annotations

import json
import logging
import os
import sys
from pathlib import Path
from typing import Any

ML = Path("/opt/ml")
OUTPUT = ML / "output/data"
FALLBACK = "python3"
MAX_SOURCE = 400
"""How much of a failing cell's source the failure shows."""


def main() -> int:
    """Run the notebook; an error in a cell becomes the job's failure reason."""
    import papermill
    from papermill.exceptions import PapermillExecutionError

    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
    logging.getLogger("papermill").setLevel(logging.INFO)
    folder = Path(os.environ["SM_EXECUTION_INPUT_PATH"])
    source = folder / os.environ["SM_INPUT_NOTEBOOK_NAME"]
    target = OUTPUT / os.environ.get("SM_OUTPUT_NOTEBOOK_NAME", source.name)
    OUTPUT.mkdir(parents=True, exist_ok=True)
    parameters = json.loads((ML / "input/config/hyperparameters.json").read_text(encoding="utf-8"))
    if not source.is_file():
        return _fail(f"there is no notebook {source.name}")
    try:
        papermill.execute_notebook(
            str(source),
            str(target),
            parameters=parameters,
            kernel_name=_kernel(os.environ.get("SM_KERNEL_NAME") or FALLBACK),
            cwd=str(folder),
            progress_bar=False,
            log_output=True,
        )
    except PapermillExecutionError as error:
        print("\n".join(error.traceback), file=sys.stderr, flush=True)
        return _fail(_words(error))
    except ValueError as error:  # papermill's own words, such as for a notebook without a language
        return _fail(f"{source.name} cannot be run: {error}")
    print(f"wrote {target.name}", flush=True)
    return 0


def _kernel(name: str) -> str:
    """Return the kernel of a name, or the usual one where this machine has none of it."""
    from jupyter_client.kernelspec import KernelSpecManager

    known = KernelSpecManager().find_kernel_specs()
    if name in known or FALLBACK not in known:
        return name
    print(f"there is no kernel {name!r} on this machine; {FALLBACK} takes its place", flush=True)
    return FALLBACK


def _words(error: Any) -> str:
    """Say which cell failed, with what, and how it begins."""
    source = str(error.source).strip()
    shown = source if len(source) <= MAX_SOURCE else source[:MAX_SOURCE] + "…"
    number = error.exec_count if error.exec_count is not None else error.cell_index
    return f"cell [{number}]: {error.ename}: {error.evalue}\n{shown}"


def _fail(reason: str) -> int:
    (ML / "output" / "failure").write_text(reason, encoding="utf-8")
    print(f"ERROR: {reason}", file=sys.stderr, flush=True)
    return 1


if __name__ == "__main__":
    sys.exit(main())

"""``python -m pipelines`` is ``sagedag``."""

from pipelines.cli import main

main()

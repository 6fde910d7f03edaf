"""Photograph the report of a local run with Chromium: docs/pictures/report.png.

Usage: python scripts/screenshot.py [--run RUN] [--store DIR] [--width 1200] [--dark] [-o FILE]

Not part of `make regen`: a photograph differs between browsers, and between runs.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

QUIET = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--hide-scrollbars",
)  # fmt: skip


def main() -> None:
    """Write the report of a run, open it, and write what the browser shows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", default="latest")
    parser.add_argument("--store", default=str(ROOT / ".sagedag"))
    parser.add_argument("--width", type=int, default=1200)
    parser.add_argument("--height", type=int, default=1000)
    parser.add_argument("--dark", action="store_true")
    parser.add_argument("-o", "--output", default=str(ROOT / "docs/pictures/report.png"))
    given = parser.parse_args()
    browser = shutil.which("chromium") or shutil.which("chromium-browser")
    if browser is None:
        sys.exit("there is no chromium on PATH")
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder, "report.html")
        command = [
            "report",
            given.run,
            "--against",
            "none",
            "--store",
            given.store,
            "-o",
            str(page),
        ]
        subprocess.run([sys.executable, "-m", "pipelines", *command], check=True, cwd=ROOT)
        dark = (
            ("--force-dark-mode", "--blink-settings=preferredColorScheme=0") if given.dark else ()
        )
        target = Path(given.output).resolve()
        target.parent.mkdir(parents=True, exist_ok=True)
        size = f"--window-size={given.width},{given.height}"
        subprocess.run(
            [browser, *QUIET, *dark, f"--user-data-dir={folder}/profile",
             size, f"--screenshot={target}", page.as_uri()],
            check=True, stderr=subprocess.DEVNULL,
        )  # fmt: skip
    print(f"Wrote {target} ({target.stat().st_size} bytes)")


if __name__ == "__main__":
    main()

"""Runs a command that ends with its parent: the end of standard input says that it is gone.

Usage: python guarded.py COMMAND…   Of the standard library alone, in a session of its own.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time

GRACE = 3.0
"""Seconds between the polite and the final signal to the whole process group."""


def main(command: list[str]) -> int:
    """Run the command; it and all it started are stopped once standard input ends."""
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    threading.Thread(target=_wait_for_parent, args=(child,), daemon=True).start()
    code = child.wait()
    _stop_group()
    return code


def _wait_for_parent(child: subprocess.Popen[bytes]) -> None:
    while sys.stdin.buffer.read(1024):
        pass
    child.terminate()
    deadline = time.monotonic() + GRACE
    while child.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    _stop_group()


def _stop_group() -> None:
    """Kill what is left of the group, this process with it."""
    if os.getpgid(0) == os.getpid():
        os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

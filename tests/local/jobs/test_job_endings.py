"""How jobs end before their time, and that nothing of them stays behind."""

from __future__ import annotations

import secrets
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import pytest
from job_workshop import Workshop, eventually, running

from pipelines.local.jobs import JobFailed, JobStopped
from pipelines.local.jobs.material import discard

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[2]


def test_cancelling_lets_a_job_clean_up(every_mode: Workshop) -> None:
    script = textwrap.dedent(
        """
        import signal, sys, time
        def end(*_):
            print("cleaned up", flush=True)
            sys.exit(0)
        signal.signal(signal.SIGTERM, end)
        print("ready", flush=True)
        time.sleep(60)
        """
    )
    done = threading.Timer(0, lambda: None)

    def cancel_when_ready() -> None:
        eventually(lambda: "ready" in every_mode.lines)
        every_mode.cancelled.set()

    done = threading.Thread(target=cancel_when_ready)
    done.start()
    with pytest.raises(JobStopped) as stopped:
        every_mode.process(script)
    done.join()
    assert every_mode.lines == ["ready", "cleaned up"]
    assert stopped.value.description["ProcessingJobStatus"] == "Stopped"


def test_cancelling_at_any_moment_is_heard(every_mode: Workshop) -> None:
    every_mode.process("")
    for number in range(8):
        every_mode.cancelled.clear()
        timer = threading.Timer(0.012 * number, every_mode.cancelled.set)
        timer.start()
        started = time.monotonic()
        with pytest.raises(JobStopped):
            every_mode.process("import time\ntime.sleep(60)")
        timer.join()
        assert time.monotonic() - started < every_mode.grace - 1, number


STUBBORN = """
import os, signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
subprocess.Popen(["sleep", sys.argv[1]], start_new_session=True)
print("ready", flush=True)
time.sleep(60)
"""


def _marker() -> str:
    return f"{secrets.randbelow(10**9) + 10**9}"


def test_a_stubborn_job_is_killed_with_all_it_started(every_mode: Workshop) -> None:
    every_mode.grace = 0.2
    marker = _marker()
    asked = threading.Thread(
        target=lambda: (eventually(lambda: running(marker)), every_mode.cancelled.set())
    )
    asked.start()
    with pytest.raises(JobStopped):
        every_mode.process(STUBBORN, marker)
    asked.join()
    assert eventually(lambda: not running(marker), 3)


def test_what_a_job_leaves_running_ends_with_it(every_mode: Workshop) -> None:
    marker = _marker()
    every_mode.process(STUBBORN.replace("time.sleep(60)", ""), marker)
    assert eventually(lambda: not running(marker), 3)


def test_jobs_die_with_a_killed_runner(every_mode: Workshop) -> None:
    marker = _marker()
    every_mode.objects.put("s3://bucket/code/script.py", STUBBORN.encode())
    runner = textwrap.dedent(
        f"""
        import sys
        sys.path[:0] = [{str(REPOSITORY)!r}, {str(HERE)!r}]
        from pathlib import Path
        from job_workshop import Workshop, processing_request
        from pipelines.local.jobs import run_processing
        workshop = Workshop(Path({str(every_mode.project)!r}), {every_mode.mode!r})
        run_processing(processing_request({marker!r}), workshop.context())
        """
    )
    process = subprocess.Popen([sys.executable, "-c", runner])
    assert eventually(lambda: running(marker))
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert eventually(lambda: not running(marker), 5)


def test_time_limit(every_mode: Workshop) -> None:
    with pytest.raises(JobFailed, match=r"MaxRuntimeExceeded.*longer than 1 s") as failed:
        every_mode.process(
            "import time\ntime.sleep(60)", StoppingCondition={"MaxRuntimeInSeconds": 1}
        )
    assert failed.value.description["ProcessingJobStatus"] == "Stopped"


def test_a_job_that_kills_its_launcher_is_ended_as_well(every_mode: Workshop) -> None:
    marker = _marker()
    script = (
        "import os, signal, sys\n"
        "try:\n"
        "    os.kill(os.getppid(), signal.SIGKILL)\n"
        "except OSError:\n"
        "    pass\n"
        "os.execvp('sleep', ['sleep', sys.argv[1]])\n"
    )
    every_mode.grace = 0.2
    asked = threading.Thread(
        target=lambda: (eventually(lambda: running(marker)), every_mode.cancelled.set())
    )
    asked.start()
    with pytest.raises((JobFailed, JobStopped)):
        every_mode.process(script, marker)
    asked.join()
    assert eventually(lambda: not running(marker), 3)


DEEP = """
import os
os.chdir("/opt/ml/processing/out")
for _ in range(1200):
    os.mkdir("d" * 50)
    os.chdir("d" * 50)
open("bottom", "w").close()
"""


def test_folders_too_deep_to_name_fail_the_job_and_are_removed(workshop: Workshop) -> None:
    with pytest.raises(JobFailed, match=r"output 'out': .*File name too long") as failed:
        workshop.process(DEEP)
    assert len(failed.value.reason) < 500
    work = workshop.project / ".sagedag" / "work"
    assert any(work.iterdir())
    discard(work)
    assert not work.exists()


def test_what_a_job_locked_away_is_removed(workshop: Workshop, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "kept").touch()
    workshop.process(
        "import os, sys\n"
        "top = '/opt/ml/processing'\n"
        "os.makedirs(top + '/locked/inner')\n"
        "os.symlink(sys.argv[1], top + '/locked/link')\n"
        "open(top + '/locked/inner/file', 'w').close()\n"
        "for path in ('/locked/inner/file', '/locked/inner', '/locked', ''):\n"
        "    os.chmod(top + path, 0)\n",
        str(outside),
        ProcessingOutputConfig={"Outputs": []},
    )
    discard(workshop.project / ".sagedag" / "work")
    assert not (workshop.project / ".sagedag" / "work").exists()
    assert (outside / "kept").exists()


@pytest.mark.parametrize("plant", ["os.mkdir(p)", "os.mkfifo(p)"])
def test_a_message_that_is_no_file_is_none(workshop: Workshop, plant: str) -> None:
    script = f"import os, sys\np = '/opt/ml/output/message'\n{plant}\nsys.exit(3)"
    with pytest.raises(JobFailed, match=r"exit code 3$"):
        workshop.process(script)

"""What a job can and cannot do to the rest of the machine."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from job_workshop import Workshop, processing_request

from pipelines.errors import ExecutionFailed, UsageError
from pipelines.local import isolation
from pipelines.local.isolation import Isolation, Probe, choose, guard, probe_all
from pipelines.local.isolation.userns import way_out
from pipelines.local.jobs import JobFailed, run_processing

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[2]

ATTACK = """
import ctypes, json, os, signal, socket, sys
report = {}
def attempt(name, action):
    try:
        report[name] = repr(action())
    except BaseException as problem:
        report[name] = "refused: " + type(problem).__name__
home, project, store, victim = sys.argv[1:5]
def write(path, text="x"):
    with open(path, "w") as stream:
        stream.write(text)
    return "written"
attempt("write etc", lambda: write("/etc/sagedag-was-here"))
attempt("write usr", lambda: write("/usr/sagedag-was-here"))
attempt("write root", lambda: write("/sagedag-was-here"))
attempt("write opt", lambda: write("/opt/sagedag-was-here"))
attempt("write home", lambda: write(home + "/was-here"))
attempt("write project", lambda: write(project + "/was-here"))
attempt("write store", lambda: write(store + "/bucket/was-here"))
attempt("write interpreter", lambda: write(os.path.dirname(os.__file__) + "/was_here.py"))
name = "/proc/sys/kernel/printk_ratelimit"
attempt("write sysctl", lambda: write(name, open(name).read()))
attempt("write cgroup", lambda: write("/sys/fs/cgroup/was-here"))
attempt("read home", lambda: open(home + "/secret").read())
attempt("read project", lambda: open(project + "/secret").read())
attempt("read store", lambda: open(store + "/bucket/secret").read())
attempt("mkdir home", lambda: os.makedirs(home + "/new"))
os.symlink(home, "/opt/ml/processing/out-home")
attempt("through link", lambda: open("/opt/ml/processing/out-home/secret").read())
attempt("hard link", lambda: os.link("/etc/passwd", "/opt/ml/processing/passwd"))
attempt("old root", lambda: open("/.old-root/etc/passwd").read())
attempt("parent cwd", lambda: open("/proc/1/root/.old-root/etc/passwd").read())
attempt("signal", lambda: os.kill(int(victim), signal.SIGKILL))
attempt("signal all", lambda: os.kill(-1, 0))
libc = ctypes.CDLL(None, use_errno=True)
report["unmount"] = [libc.umount2(path.encode(), 2) for path in (home, project, "/tmp", "/opt/ml")]
report["remount"] = libc.mount(None, b"/etc", None, 4096 | 32, None)
report["chroot"] = libc.chroot(b"/tmp")
child = os.fork()
if child == 0:
    if libc.unshare(0x10000000 | 0x20000) == 0:
        freed = [libc.umount2(path.encode(), 2) for path in (home, project)]
        loose = libc.mount(None, b"/etc", None, ctypes.c_ulong(4096 | 32), None)
        os._exit(7 if 0 in freed or loose == 0 else 0)
    os._exit(0)
report["nested namespace"] = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
status = dict(line.split(":", 1) for line in open("/proc/self/status") if ":" in line)
report["privileges"] = [status[name].strip() for name in ("CapEff", "CapBnd", "NoNewPrivs")]
report["user"] = [os.getuid(), os.getgid()]
report["devices"] = sorted(os.listdir("/dev"))
report["processes"] = len([name for name in os.listdir("/proc") if name.isdigit()])
report["secrets"] = [name for name in os.environ if "TOKEN" in name or name == "AWS_PROFILE"]
report["key"] = os.environ["AWS_SECRET_ACCESS_KEY"]
report["home variable"] = os.environ["HOME"]
report["address"] = [socket.gethostname(), socket.gethostbyname("algo-1")]
report["private tmp"] = os.listdir("/tmp")
attempt("scratch", lambda: write("/tmp/mine"))
attempt("shared memory", lambda: write("/dev/shm/mine"))
attempt("null", lambda: write("/dev/null"))
os.remove("/opt/ml/processing/out-home")
json.dump(report, open("/opt/ml/processing/out/report.json", "w"))
"""


@pytest.fixture
def secrets_around(
    monkeypatch: pytest.MonkeyPatch, outside_tmp: Path, confined: Workshop
) -> dict[str, Path]:
    """A home, a project and a store with something worth stealing, and tokens in the air."""
    home = outside_tmp / "home"
    home.mkdir()
    places = {
        "home": home,
        "project": confined.project,
        "store": confined.objects.root,
    }
    (confined.objects.root / "bucket").mkdir(parents=True)
    for path in (home, confined.project, confined.objects.root / "bucket"):
        (path / "secret").write_text("do not tell", encoding="utf-8")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "the user's real key")
    monkeypatch.setenv("AWS_PROFILE", "production")
    monkeypatch.setenv("GITHUB_TOKEN", "ghp_real")
    return places


def test_a_confined_job_reaches_nothing_outside(
    confined: Workshop, secrets_around: dict[str, Path]
) -> None:
    victim = subprocess.Popen(["sleep", "60"])
    try:
        confined.process(ATTACK, *map(str, secrets_around.values()), str(victim.pid))
        assert victim.poll() is None
    finally:
        victim.kill()
        victim.wait()
    report = json.loads(confined.output("report.json"))
    for name in report:
        if name.startswith(("write", "read", "mkdir", "through", "hard", "old", "parent")):
            assert report[name].startswith("refused"), (name, report[name])
    assert report["signal"].startswith("refused: ProcessLookup")
    assert set(report["unmount"]) == {-1}
    assert report["remount"] == -1
    assert report["chroot"] == -1
    assert report["nested namespace"] == 0
    assert report["privileges"] == ["0" * 16, "0" * 16, "1"]
    assert report["user"] == [os.getuid(), os.getgid()]
    harmless = {"null", "zero", "full", "random", "urandom", "tty", "fd", "stdin", "stdout"}
    harmless |= {"stderr", "ptmx", "pts", "shm", "core", "console"}
    assert not {d for d in report["devices"] if not d.startswith(("nvidia", "dri"))} - harmless
    assert report["processes"] <= 4
    assert report["secrets"] == []
    assert report["key"] != "the user's real key"
    assert report["home variable"] == "/tmp"
    assert report["address"] == ["algo-1", "127.0.0.1"]
    for name in ("scratch", "shared memory", "null"):
        assert report[name] == "'written'", name
    for place in secrets_around.values():
        assert not (place / "was-here").exists()


def test_kernels_without_mount_setattr_protect_as_well(
    confined: Workshop, secrets_around: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    if confined.mode != "userns":
        pytest.skip("bwrap remounts by itself")
    text = guard.LAUNCHER.read_text(encoding="utf-8")
    assert "SYS_MOUNT_SETATTR = 442" in text
    old = confined.project.parent / "launcher.py"
    text = text.replace("SYS_MOUNT_SETATTR = 442", "SYS_MOUNT_SETATTR = 999_999")
    old.write_text(text, encoding="utf-8")
    monkeypatch.setattr(guard, "LAUNCHER", old)
    confined.process(ATTACK, *map(str, secrets_around.values()), str(os.getpid()))
    report = json.loads(confined.output("report.json"))
    for name in report:
        if name.startswith(("write", "read", "mkdir", "through", "hard", "old", "parent")):
            assert report[name].startswith("refused"), (name, report[name])
    assert report["scratch"] == report["shared memory"] == "'written'"


def test_packages_are_there_and_nothing_else_of_a_virtual_environment_s_project(
    confined: Workshop,
) -> None:
    confined.process(
        "import sys, json, regex\n"
        "json.dump([regex.__file__, sys.prefix], open('/opt/ml/processing/out/a.json', 'w'))"
    )
    where, prefix = json.loads(confined.output("a.json"))
    assert Path(where).is_file()
    assert prefix == sys.prefix


def test_user_s_variables_are_not_in_a_job_s_environment(
    every_mode: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_SESSION_TOKEN", "AWS_PROFILE", "MY_TOKEN", "DATABASE_URL", "SSH_AUTH_SOCK"):
        monkeypatch.setenv(name, "secret-of-the-user")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "secret-of-the-user")
    every_mode.process(
        "import os\nopen('/opt/ml/processing/out/e', 'w').write(repr(dict(os.environ)))"
    )
    text = every_mode.output("e")
    assert "secret-of-the-user" not in text
    assert "'AWS_DEFAULT_REGION': 'eu-west-1'" in text


def test_parallel_jobs_see_their_own_folder(every_mode: Workshop) -> None:
    script = (
        "import sys, time, os\n"
        "own = '/opt/ml/processing/out/' + sys.argv[1]\n"
        "open(own, 'w').write(sys.argv[1])\n"
        "time.sleep(0.3)\n"
        "assert os.listdir('/opt/ml/processing/out') == [sys.argv[1]]\n"
    )
    every_mode.objects.put("s3://bucket/code/script.py", script.encode())
    contexts = [every_mode.context() for _ in range(3)]
    with ThreadPoolExecutor(3) as pool:
        requests = [processing_request(f"number-{n}") for n in range(3)]
        results = list(pool.map(run_processing, requests, contexts))
    assert {each["ProcessingJobStatus"] for each in results} == {"Completed"}
    assert [every_mode.output(f"number-{n}") for n in range(3)] == [f"number-{n}" for n in range(3)]


@pytest.mark.parametrize("target", ["/etc/passwd", "../../../../../../etc/passwd", "PROJECT"])
def test_a_link_out_of_the_outputs_is_refused(every_mode: Workshop, target: str) -> None:
    secret = every_mode.project / "secret"
    secret.write_text("do not tell", encoding="utf-8")
    target = str(secret) if target == "PROJECT" else target
    script = f"import os\nos.symlink({target!r}, '/opt/ml/processing/out/stolen')"
    with pytest.raises(JobFailed, match="symbolic link that leaves"):
        every_mode.process(script)
    assert every_mode.objects.list("s3://bucket/out") == ()


def test_links_within_the_job_are_followed(every_mode: Workshop) -> None:
    every_mode.process(
        "import os\n"
        "os.makedirs('/opt/ml/processing/elsewhere')\n"
        "open('/opt/ml/processing/elsewhere/a', 'w').write('here')\n"
        "os.symlink('/opt/ml/processing/elsewhere', '/opt/ml/processing/out/whole')\n"
        "os.symlink('whole/a', '/opt/ml/processing/out/one')\n"
        "os.mkfifo('/opt/ml/processing/out/pipe')\n"
    )
    assert every_mode.objects.list("s3://bucket/out") == (
        "s3://bucket/out/one",
        "s3://bucket/out/whole/a",
    )
    assert every_mode.output("one") == "here"


NON_ROOT = """
import sys, json
sys.path[:0] = [{repository!r}]
import threading
from pathlib import Path
from pipelines.local.isolation import choose
from pipelines.local.jobs import JobContext, run_processing
from pipelines.local.objects import ObjectStore
folder = Path({folder!r})
objects = ObjectStore(folder / ".sagedag/s3", folder)
objects.put("s3://bucket/code/script.py", Path({script!r}).read_bytes())
context = JobContext("j", "arn:aws:sagemaker:eu-west-1:111122223333:processing-job/j",
    folder / ".sagedag/work/j", objects, choose({mode!r}), threading.Event(), print,
    folder / ".sagedag/log", "111122223333", "eu-west-1")
run_processing(json.loads({request!r}), context)
print(objects.get("s3://bucket/out/report.json").decode())
"""


@pytest.mark.skipif(os.getuid() != 0, reason="the other tests run as a user already")
@pytest.mark.parametrize("mode", ["userns", "bwrap", "paths"])
def test_jobs_of_a_user_who_is_not_root(mode: str, outside_tmp: Path) -> None:
    interpreter, setpriv = shutil.which("python3", path="/usr/bin"), shutil.which("setpriv")
    if interpreter is None or setpriv is None:
        pytest.skip("needs setpriv and an interpreter that any user may run")
    if mode == "bwrap" and shutil.which("bwrap") is None:
        pytest.skip("bwrap is not installed")
    folder = outside_tmp
    script = folder / "attack.py"
    script.write_text(ATTACK, encoding="utf-8")
    own = folder / "own"
    own.mkdir()
    (own / "secret").write_text("do not tell", encoding="utf-8")
    os.chown(own, 65534, 65534)
    store = own / ".sagedag" / "s3"
    request = processing_request(str(own), str(own), str(store), str(os.getpid()))
    if mode == "paths":
        script.write_text(
            "import json, os\n"
            "with open('/opt/ml/processing/out/report.json', 'w') as stream:\n"
            "    json.dump({'user': [os.getuid(), os.getgid()]}, stream)\n",
            encoding="utf-8",
        )
    program = NON_ROOT.format(
        repository=str(REPOSITORY),
        folder=str(own),
        script=str(script),
        mode=mode,
        request=json.dumps(request),
    )
    ended = subprocess.run(
        [setpriv, "--reuid=65534", "--regid=65534", "--clear-groups", interpreter, "-c", program],
        capture_output=True,
        text=True,
        env={"HOME": str(own), "PATH": "/usr/bin:/bin", "PYTHONDONTWRITEBYTECODE": "1"},
        cwd="/",
        timeout=60,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    report = json.loads(ended.stdout.splitlines()[-1])
    assert report["user"] == [65534, 65534]
    if mode != "paths":
        assert report["privileges"] == ["0" * 16, "0" * 16, "1"]
        assert report["nested namespace"] == 0
        for name in report:
            if name.startswith(("write", "read", "mkdir", "through", "hard", "old", "parent")):
                assert report[name].startswith("refused"), (name, report[name])


class Broken(Isolation):
    name, note, protects = "userns", "", True

    def probe(self) -> Probe:
        return self._missing("unshare: Operation not permitted", "sudo sysctl -w something")

    def launch(self, sandbox: object) -> object:  # type: ignore[override]
        raise AssertionError("a mode that does not work was used")


def test_strict_refuses_to_degrade(monkeypatch: pytest.MonkeyPatch) -> None:
    paths = next(mode for mode in isolation.MODES if mode.name == "paths")
    monkeypatch.setattr(isolation, "MODES", (Broken(), paths))
    isolation._probe.cache_clear()
    try:
        assert choose().name == "paths"
        with pytest.raises(ExecutionFailed) as refused:
            choose("strict")
        assert "sudo sysctl -w something" in refused.value.hint
        assert "paths protects nothing" in refused.value.hint
        with pytest.raises(ExecutionFailed, match="'userns' does not work here"):
            choose("userns")
        with pytest.raises(ExecutionFailed):
            choose("paths", strict=True)
        with pytest.raises(UsageError, match="no isolation mode 'chroot'"):
            choose("chroot")
        assert [(probe.name, probe.works) for probe in probe_all()] == [
            ("userns", False),
            ("paths", True),
        ]
    finally:
        isolation._probe.cache_clear()


@pytest.mark.parametrize(
    ("setting", "value", "advice"),
    [
        (
            "kernel/apparmor_restrict_unprivileged_userns",
            "1",
            "apparmor_restrict_unprivileged_userns=0",
        ),
        ("kernel/unprivileged_userns_clone", "0", "kernel.unprivileged_userns_clone=1"),
        ("user/max_user_namespaces", "0", "user.max_user_namespaces=15000"),
        ("user/max_user_namespaces", "5", "docker run --security-opt"),
    ],
)
def test_the_way_out_names_the_setting(
    tmp_path: Path, setting: str, value: str, advice: str
) -> None:
    (tmp_path / setting).parent.mkdir(parents=True)
    (tmp_path / setting).write_text(value + "\n", encoding="ascii")
    assert advice in way_out(tmp_path)

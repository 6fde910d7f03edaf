"""`sagedag doctor` says what works, gives away no secret and asks nobody over the network."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

from pipelines.doctor import Finding, examine
from pipelines.doctor.containers import check_containers
from pipelines.doctor.credentials import check_credentials
from pipelines.doctor.machine import check_isolation, check_store
from pipelines.doctor.software import check_python, check_sdk
from pipelines.local.isolation import MODES, Probe

ROOT = Path(__file__).parents[2]
SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
KEY_ID = "AKIAIOSFODNN7EXAMPLE"


def doctor(*arguments: str, cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **variables}
    return subprocess.run(
        [sys.executable, "-m", "pipelines", "doctor", *arguments],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def credentials(home: Path, **variables: str) -> Finding:
    return check_credentials({"HOME": str(home), **variables})[0]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws/config").write_text(
        "[default]\nregion = eu-west-1\n"
        "[profile sso]\nsso_session = work\nregion = eu-north-1\n"
        "[profile deploy]\nrole_arn = arn:aws:iam::111122223333:role/deploy\n"
        "[profile empty]\n[sso-session work]\nsso_region = eu-west-1\n"
    )
    (tmp_path / ".aws/credentials").write_text(
        f"[keys]\naws_access_key_id = {KEY_ID}\naws_secret_access_key = {SECRET}\n"
    )
    return tmp_path


def test_this_machine_works(tmp_path: Path) -> None:
    done = doctor(cwd=tmp_path, PYTHONIOENCODING="utf-8")
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert lines[-1] == "Definitions can be compiled and run here."
    starts = {line[2:].split("  ")[0]: line for line in lines if line[:1] in "✓✗–" and line}
    assert [f"Isolation {mode.name}" for mode in MODES] == [
        label for label in starts if label.startswith("Isolation")
    ]
    assert starts["Python"].startswith("✓")
    assert starts["SageMaker SDK"].startswith("✓")
    # Details begin in one column.
    width = max(map(len, starts)) + 4
    assert all(line[width - 2 : width] == "  " and line[width] != " " for line in starts.values())


def test_json_and_table_say_the_same(tmp_path: Path) -> None:
    done = doctor("--json", cwd=tmp_path)
    said = json.loads(done.stdout)
    assert said["ok"] is True
    assert len({each["name"] for each in said["findings"]}) == len(said["findings"])
    assert {each["state"] for each in said["findings"]} <= {"works", "broken", "absent"}
    table = doctor(cwd=tmp_path, PYTHONIOENCODING="utf-8").stdout
    assert all(each["detail"] in table for each in said["findings"] if each["name"] != "store")


def test_a_terminal_that_has_no_signs(tmp_path: Path) -> None:
    done = doctor(cwd=tmp_path, PYTHONIOENCODING="ascii:replace")
    assert done.returncode == 0
    assert "\nok SageMaker SDK" in done.stdout


def test_the_sdk_is_not_imported_and_no_socket_leaves_the_machine(tmp_path: Path) -> None:
    script = (
        "import socket, sys\n"
        "plain = socket.socket.connect\n"
        "def connect(self, address):\n"
        "    assert self.family == socket.AF_UNIX, address\n"
        "    return plain(self, address)\n"
        "socket.socket.connect = connect\n"
        "from pathlib import Path\n"
        "from pipelines.doctor import examine\n"
        "examine(Path.cwd())\n"
        "assert not {'sagemaker', 'boto3', 'botocore'} & set(sys.modules), 'heavy imports'\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", script], cwd=tmp_path, env=environment, check=True)


def test_every_broken_thing_has_a_way_out(tmp_path: Path) -> None:
    assert [each for each in examine(tmp_path) if each.state == "broken" and not each.hint] == []


@pytest.mark.parametrize("style", [(), ("--json",)])
def test_no_secret_is_printed(home: Path, style: tuple[str, ...]) -> None:
    variables = {"AWS_ACCESS_KEY_ID": KEY_ID, "AWS_SECRET_ACCESS_KEY": SECRET, "HOME": str(home)}
    for given in (variables, {"AWS_PROFILE": "keys", "HOME": str(home)}):
        done = doctor(*style, cwd=home, PYTHONIOENCODING="utf-8", **given)
        assert "keys" in done.stdout
        assert SECRET not in done.stdout + done.stderr
        assert KEY_ID not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("variables", "state", "words"),
    [
        ({}, "absent", "none in variables and files"),
        ({"AWS_PROFILE": "keys"}, "works", "the keys of the profile `keys`"),
        ({"AWS_PROFILE": "sso"}, "works", "single sign-on of the profile `sso`"),
        ({"AWS_PROFILE": "deploy"}, "works", "the assumed role of the profile `deploy`"),
        ({"AWS_PROFILE": "empty"}, "absent", "none in variables and files"),
        ({"AWS_PROFILE": "gone"}, "broken", "AWS_PROFILE is `gone`, which no file has"),
        ({"AWS_ACCESS_KEY_ID": KEY_ID}, "broken", "without AWS_SECRET_ACCESS_KEY"),
        (
            {"AWS_ACCESS_KEY_ID": KEY_ID, "AWS_SECRET_ACCESS_KEY": SECRET},
            "works",
            "long-lived keys in the environment",
        ),
        (
            {"AWS_WEB_IDENTITY_TOKEN_FILE": "/t", "AWS_ROLE_ARN": "arn:aws:iam::1:role/x"},
            "works",
            "a web identity token",
        ),
        ({"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/v2"}, "works", "the container's"),
        ({"AWS_SHARED_CREDENTIALS_FILE": "{home}/.aws"}, "absent", "none in variables and files"),
    ],
)
def test_where_credentials_come_from(
    home: Path, variables: dict[str, str], state: str, words: str
) -> None:
    found = credentials(home, **{k: v.format(home=home) for k, v in variables.items()})
    assert (found.state, words in found.detail) == (state, True), found


@pytest.mark.parametrize(
    "content", [f"aws_secret_access_key = {SECRET}\n".encode(), b"\xff\xfe[", b"[a\n", b"= x\n"]
)
def test_a_mangled_credentials_file(home: Path, content: bytes) -> None:
    (home / ".aws/credentials").write_bytes(content)
    found = credentials(home)
    assert found.state == "broken"
    assert "is not a valid AWS file" in found.detail
    assert SECRET not in found.detail + found.hint


def test_the_profiles_region(home: Path) -> None:
    def region(**variables: str) -> Finding:
        return check_credentials({"HOME": str(home), **variables})[1]

    assert region().detail == "eu-west-1 (profile `default`)"
    assert region(AWS_PROFILE="sso").detail == "eu-north-1 (profile `sso`)"
    assert region(AWS_DEFAULT_REGION="us-west-2").detail == "us-west-2 (AWS_DEFAULT_REGION)"
    assert region(AWS_PROFILE="keys").state == "absent"


def test_terminal_controls_in_a_profiles_name_are_not_obeyed(tmp_path: Path) -> None:
    done = doctor(cwd=tmp_path, AWS_PROFILE="\x1b[2Jgone", PYTHONIOENCODING="utf-8")
    assert "\x1b" not in done.stdout
    assert "gone" in done.stdout


@pytest.fixture
def client(tmp_path: Path) -> Path:
    program = tmp_path / "bin/docker"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    return program


def test_docker(tmp_path: Path, client: Path) -> None:
    variables = {"PATH": str(client.parent), "DOCKER_HOST": f"unix://{tmp_path}/docker.sock"}
    assert check_containers({"PATH": str(tmp_path)})[0].state == "absent"
    assert "no daemon runs" in check_containers(variables)[0].detail
    with socket.socket(socket.AF_UNIX) as daemon:
        daemon.bind(f"{tmp_path}/docker.sock")
        assert "does not answer" in check_containers(variables)[0].detail
        daemon.listen()
        found = check_containers(variables)[0]
    assert (found.state, found.detail.endswith(f"daemon at {tmp_path}/docker.sock")) == (
        "works",
        True,
    )
    for host in ("tcp://10.0.0.1:2375", "ssh://me@there"):
        asked = check_containers({**variables, "DOCKER_HOST": host})[0]
        assert (asked.state, "was not asked" in asked.detail) == ("absent", True)


def test_without_any_isolation_no_job_runs() -> None:
    failed = [Probe("userns", False, "note", "user namespaces are off", "set the sysctl")]
    *_, last = check_isolation(failed)
    assert last.fatal
    worse = [*failed, Probe("paths", True, "protects nothing")]
    found = check_isolation(worse)
    assert not any(each.fatal for each in found)
    assert [each.hint for each in found] == ["set the sysctl", ""]
    assert found[1].detail == "protects nothing; the default here"


def test_the_store(tmp_path: Path) -> None:
    assert check_store(tmp_path).detail == f"{tmp_path}/.sagedag, made by the first run"
    (tmp_path / ".sagedag").mkdir()
    (tmp_path / "below").mkdir()
    assert check_store(tmp_path / "below").detail == f"{tmp_path}/.sagedag"


@pytest.mark.parametrize(
    ("version", "state"),
    [((3, 9, 1), "broken"), ((3, 10, 0), "works"), ((3, 13, 9), "works"), ((3, 14, 0), "broken")],
)
def test_python_versions(version: tuple[int, ...], state: str) -> None:
    assert check_python(version).state == state


@pytest.mark.parametrize(
    ("versions", "state", "words"),
    [
        ({"sagemaker": "3.1.1"}, "broken", "not supported"),
        ({"sagemaker": "2.257.4"}, "broken", "not supported; >=2.257.5, !=3.0.*, !=3.1.*, <4 is"),
        ({"sagemaker": "4.0.0"}, "broken", "not supported"),
        ({"sagemaker": "3.27.0", "sagemaker-core": "2"}, "broken", "without its part"),
        ({}, "broken", "not installed"),
    ],
)
def test_sdks_that_cannot_compile(
    monkeypatch: pytest.MonkeyPatch, versions: dict[str, str], state: str, words: str
) -> None:
    monkeypatch.setattr("pipelines.doctor.software.installed", versions.get)
    found = check_sdk()
    assert (found.state, words in found.detail, found.fatal) == (state, True, state == "broken")


def test_the_installed_sdk_is_supported() -> None:
    version = metadata.version("sagemaker")
    found = check_sdk()
    assert found.state == "works"
    assert found.detail == f"{version} (major {version[0]}): supported, can compile"


def test_exit_code_1_when_something_essential_is_broken(tmp_path: Path) -> None:
    # A botocore without SageMaker's model stands in for the installed one.
    fake = tmp_path / "fake/botocore"
    (fake / "data").mkdir(parents=True)
    (fake / "__init__.py").write_text("")
    done = doctor(cwd=tmp_path, PYTHONPATH=f"{fake.parent}:{ROOT}", PYTHONIOENCODING="utf-8")
    assert done.returncode == 1, done.stdout
    assert "✗ API model" in done.stdout
    assert done.stdout.endswith("Something essential is broken; see above.\n")

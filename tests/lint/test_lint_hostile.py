"""Comments, names and secrets as nobody should write them."""

from __future__ import annotations

import json
import os
from pathlib import Path
from urllib.parse import unquote

import pytest

from pipelines.cli import main
from pipelines.language.nodes import Source
from pipelines.lint.ignores import read_ignores

ENVIRONMENTS = """\
environments:
  dev: {account: "111122223333", region: eu-central-1, role: "arn:aws:iam::111122223333:role/p", bucket: dev-bucket}
"""  # noqa: E501  # as people write it

COMMENT = "sagedag: ignore[no-vpc] why"


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SAGEDAG_ENV", "dev")
    (tmp_path / "environments.yaml").write_text(ENVIRONMENTS)
    return tmp_path


def lint(*words: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(["lint", *words])
    return int(ended.value.code or 0)


def comments(text: str) -> list[tuple[int, tuple[str, ...], str]]:
    found = read_ignores(Source(Path("/pipeline.yaml"), "pipeline.yaml", text))
    return [(each.line, each.codes, each.reason) for each in found]


@pytest.mark.parametrize(
    "text",
    [
        f"a: 1  # {COMMENT}",
        "a: 1 #sagedag:ignore[no-vpc]why",
        "a: 1\t#\tSageDag :  IGNORE [ no-vpc ,, ]  — why  ",
        f"a: {{{{ x }}}}  # {COMMENT}",
        f'a: "{{{{ x }}}}"  # {COMMENT}\r\n',
        f"a: >-  # {COMMENT}\n  text\n",
        f"a: '\U0001f600 # x'  # {COMMENT}",
    ],
)
def test_comments_are_read_however_they_are_spaced(text: str) -> None:
    assert comments(text) == [(1, ("no-vpc",), "why")]


@pytest.mark.parametrize(
    "text",
    [
        f"a: '# {COMMENT}'",
        f"a: '\U0001f600 # {COMMENT}'",
        f"a: |\n  # {COMMENT}\nb: 1",
        f'a: "x\\\n  # {COMMENT}"',
        f"a: x# {COMMENT}",
        "a: 1  # nosagedag: ignore[no-vpc] why",
    ],
)
def test_what_stands_in_a_text_is_no_comment(text: str) -> None:
    assert comments(text) == []


def test_several_comments_on_one_line() -> None:
    text = "a: 1  # sagedag: ignore[no-vpc] a # sagedag: ignore[unused-step] b"
    assert comments(text) == [(1, ("no-vpc",), "a"), (1, ("unused-step",), "b")]
    assert comments(text.removeprefix("a: 1  ") + "\n\na: 1") == [
        (3, ("no-vpc",), "a"),
        (3, ("unused-step",), "b"),
    ]


@pytest.mark.parametrize(
    ("comment", "message"),
    [
        ("ignore[missing-tags]", "nothing says why `missing-tags` is ignored"),
        ("ignore[missing-tgas] x", "there is no rule `missing-tgas`\n.*did you mean"),
        ("ignore[no-vpc] x", "`no-vpc` finds nothing at line 1"),
        ("ignore x", "the comment ignores nothing"),
        ("ignore[] x", "the comment ignores nothing"),
        ("ignore[missing-tags x", "the comment ignores nothing"),
        ("ignore[\x1b[31mred] x", ""),
    ],
)
def test_comments_that_are_wrong(
    project: Path, comment: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "pipeline.yaml").write_text(
        f"pipeline: demo  # sagedag: {comment}\nsteps: {{a: {{type: Fail, message: no}}}}\n"
    )
    lint()
    told = capsys.readouterr().out
    assert message.partition("\n")[0] in told
    assert "\x1b" not in told


NAMES = {
    b"a b%0A,x::y#\xc3\xbc.yaml": "a b%0A,x::y#ü.yaml",
    b"a\nb\x1b[31m.yaml": "a?b?[31m.yaml",
    b"x\xff.yaml": "x?.yaml",
}
"""Files' names, and how they are shown."""


@pytest.mark.parametrize("name", NAMES, ids=["signs", "control", "bytes"])
def test_any_file_name_in_every_format(
    project: Path, name: bytes, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    text = "pipeline: demo\nparameters: {Unused: 1}\nsteps: {a: {type: Fail, message: no}}\n"
    file = os.fsdecode(name)
    try:
        (project / file).write_text(text)
    except OSError:
        pytest.skip("the file system takes no such name")

    def told(style: str) -> str:
        lint(file, "--select", "unused-parameter", "--format", style)
        out = capsysbinary.readouterr().out
        assert b"\x1b" not in out
        return out.decode("utf-8")

    assert told("text").splitlines()[0].endswith("no step reads the parameter `Unused`")
    (line,) = told("github").splitlines()
    assert line.startswith("::warning file=")
    assert line.count("::") == 2
    assert json.loads(told("json"))[0]["file"] == NAMES[name]
    # SARIF 2.1.0: a `uri` is a URI reference (3.4.3), and columns are UTF-16 unless said (3.14.17).
    (run,) = json.loads(told("sarif"))["runs"]
    assert run["columnKind"] == "unicodeCodePoints"
    uri = run["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert uri.isascii()
    assert not set(uri) & set(" :#?\n")
    assert unquote(uri) == NAMES[name]


SECRETS = {
    "quoted": '"hidden\n        hidden"',
    "single": "'hid''hidden\n\n        hidden'",
    "plain": "hidden\n        hidden",
    "block": "|\n        hidden\n        hidden",
    "folded": ">-\n        hidden",
    "tagged": "!!str hidden",
    "anchored": "&a hidden",
    "wide": '"\U0001f600hidden"',
}


@pytest.mark.parametrize("value", SECRETS.values(), ids=SECRETS)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=["lf", "crlf", "cr"])
def test_secrets_over_several_lines_are_covered(
    project: Path, value: str, end: str, capsys: pytest.CaptureFixture[str]
) -> None:
    text = f"""\
pipeline: demo  # \u2028
steps:
  fetch:
    type: Processing
    image: {{framework: sklearn, version: 1.4-2}}
    instance: ml.m5.large
    command: [fetch]
    environment:
      DB_PASSWORD: {value}
"""
    (project / "pipeline.yaml").write_bytes(text.replace("\n", end).encode())
    for style in ("text", "json", "github", "sarif"):
        lint("--format", style)
        told = capsys.readouterr().out
        assert "plain-secret" in told
        assert "hidden" not in told


def test_a_line_that_a_secret_ends_on_shows_nothing_of_it(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "pipeline.yaml").write_text("""\
pipeline: demo
steps:
  fetch: {type: Processing, image: {framework: sklearn, version: 1.4-2}, instance: ml.m5.large,
          command: [fetch], environment: {DB_PASSWORD: "
          hidden", ROLE: "arn:aws:iam::111122223333:role/x"}}
""")
    lint()
    told = capsys.readouterr().out
    assert "hard-coded-account" in told
    assert "hidden" not in told

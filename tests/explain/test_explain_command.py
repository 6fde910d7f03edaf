from __future__ import annotations

import subprocess
import sys

from click.testing import CliRunner

from pipelines.cli.explain import command


def test_the_command_prints_plain_text_into_a_pipe() -> None:
    result = CliRunner().invoke(command, ["Training.instance"])
    assert result.exit_code == 0
    assert result.output.startswith("Training.instance")
    assert "\x1b[" not in result.output


def run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pipelines", "explain", *words],
        capture_output=True,
        text=True,
        check=False,
    )


def test_an_unknown_word_exits_with_2_and_the_nearest_name() -> None:
    result = run("Traning")
    assert (result.returncode, result.stdout) == (2, "")
    assert "did you mean `sagedag explain Training`?" in result.stderr


def test_explaining_loads_nothing_heavy() -> None:
    probe = (
        "import sys\n"
        "from pipelines.cli import main\n"
        "try:\n"
        "    main(['explain', *sys.argv[1:]])\n"
        "finally:\n"
        "    heavy = {'sagemaker', 'boto3', 'botocore', 'jsonschema', 'rich', 'networkx',\n"
        "             'jinja2', 'yaml'}\n"
        "    print(sorted(heavy & set(sys.modules)), file=sys.stderr)\n"
    )
    for word in ("", "Training", "Training.instance.type", "unknown-key"):
        result = subprocess.run(
            [sys.executable, "-c", probe, *([word] if word else [])],
            capture_output=True,
            text=True,
            check=False,
        )
        assert result.returncode == 0
        assert result.stderr.strip() == "[]", word

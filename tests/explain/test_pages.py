from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import pipelines
from pipelines.errors import UsageError
from pipelines.explain import Document, explain, schemas
from pipelines.explain.document import Code, Table
from pipelines.explain.fields import api_of, fields_of
from pipelines.explain.terminal import render
from pipelines.explain.topics import TOPICS
from pipelines.language.codes import CATALOGUE
from pipelines.language.merge import WHOLE_FIELDS
from pipelines.language.references import EXECUTION
from pipelines.language.sandbox import METHODS, SANDBOX
from pipelines.language.schema import ENVIRONMENT, TOP
from steps import KINDS, all_fields, kind_named
from steps._contract import Kind

WORDS = [
    "",
    "codes",
    *CATALOGUE,
    *TOPICS,
    *TOP,
    *(kind.name for kind in KINDS),
    *(f"{kind.name}.{name}" for kind in KINDS for name in all_fields(kind)),
]


cached = lru_cache(maxsize=None)(explain)


def cells(page: Document) -> Iterator[str]:
    for block in page.blocks:
        if isinstance(block, Table):
            for row in block.rows:
                yield from row


def facts(word: str) -> dict[str, str]:
    table = next(block for block in explain(word).blocks if isinstance(block, Table))
    return {row[0]: row[1] for row in table.rows}


def hint(word: str) -> str:
    with pytest.raises(UsageError) as caught:
        explain(word)
    assert caught.value.exit_code == 2
    return caught.value.hint


@pytest.mark.parametrize("width", [40, 72, 100, 300])
def test_no_line_is_wider_than_the_terminal_or_100_columns(width: int) -> None:
    for word in WORDS:
        page = cached(word)
        code = {
            f"  {line}".rstrip()
            for block in page.blocks
            if isinstance(block, Code)
            for line in block.text.splitlines()
        }
        for line in render(page, width=width).splitlines():
            if line not in code and line != page.title:  # a title is one word
                assert len(line) <= min(width, 100), (word, line)
            assert line == line.rstrip()


def test_colours_change_nothing_but_colours() -> None:
    for word in ("", "Training", "Training.instance", "unknown-key", "templates"):
        plain, colored = render(explain(word)), render(explain(word), color=True)
        assert "\x1b[" not in plain
        bare = re.sub(r"\x1b\[[0-9;]*m", "", colored)
        assert "\x1b[1m" in colored
        assert bare.replace("`", "") == plain.replace("`", "")


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_kinds_page_has_all_that_a_newcomer_needs(kind: Kind) -> None:
    text = render(explain(kind.name))
    assert kind.summary in text
    for line in kind.example.splitlines():
        assert f"  {line}" in text
    for name in all_fields(kind):
        assert re.search(rf"^  {name} ", text, re.MULTILINE), name
    for name in ("type", *kind.required):
        assert re.search(rf"^  {name} .* required ", text, re.MULTILINE), name
    for member in kind.refused:
        assert re.search(rf"^  {re.escape(member)}", text, re.MULTILINE), member
    for reason in kind.retries:
        assert f"`{reason}`" in text
    assert ("The service can take the result" in text) == kind.cacheable
    # Every kind says more about itself than its fields do.
    assert len(kind.about) > 150
    assert " ".join(kind.about.split()) in " ".join(text.split())


def test_the_example_of_every_kind_is_right_but_for_what_it_refers_to(tmp_path: Path) -> None:
    """The steps, parameters and files of other people are not there; nothing else is wrong."""
    wrong = {}
    for kind in KINDS:
        text = "".join(f"  {line}\n" for line in kind.example.splitlines())
        path = tmp_path / "pipeline.yaml"
        path.write_text(f"pipeline: example\nsteps:\n{text}", "utf-8")
        found = [
            each
            for each in pipelines.check(path).diagnostics
            if not re.match(
                r"there is no (step|parameter|file|folder)|missing key `image`", each.message
            )
        ]
        if found:
            wrong[kind.name] = found
    assert wrong == {}


def test_a_loops_page_tells_how_rounds_are_referred_to() -> None:
    text = render(explain("ForEach"))
    assert "${steps.NAME.iterations[0].STEP.…}" in text
    assert "${steps.NAME.selected.…}" in text
    assert "an integer" in text


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_required_fields_come_first(kind: Kind) -> None:
    table = next(block for block in explain(kind.name).blocks if isinstance(block, Table))
    needs = [row[2] == "required" for row in table.rows]
    assert needs == sorted(needs, reverse=True)


def test_the_references_into_a_step_are_those_that_its_kind_resolves() -> None:
    text = " ".join(cells(explain("Processing")))
    assert "${steps.NAME.outputs.OUTPUT}" in text
    assert "${steps.NAME.files.FILE.a.b[0]}" in text
    assert "any field of the answer of DescribeProcessingJob" in text
    assert "(`ModelArtifacts.S3ModelArtifacts`)" in " ".join(cells(explain("Training")))
    assert "the model's name" in " ".join(cells(explain("CreateModel")))
    assert "no values that others could use" in render(explain("Fail"))


@pytest.mark.parametrize(
    ("word", "becomes"),
    [
        ("Training.image", "`AlgorithmSpecification.TrainingImage` of CreateTrainingJob"),
        ("Training.instance", "`ResourceConfig` of CreateTrainingJob"),
        ("Training.instance.volume_gb", "`ResourceConfig.VolumeSizeInGB` of CreateTrainingJob"),
        (
            "Training.instance.keep_alive",
            "`ResourceConfig.KeepAlivePeriodInSeconds` of CreateTrainingJob",
        ),
        (
            "Training.inputs.source",
            "`InputDataConfig[].DataSource.S3DataSource.S3Uri` of CreateTrainingJob",
        ),
        (
            "Training.inputs.train.shuffle_seed",
            "`InputDataConfig[].ShuffleConfig.Seed` of CreateTrainingJob",
        ),
        ("Training.spot.max_wait", "`StoppingCondition.MaxWaitTimeInSeconds` of CreateTrainingJob"),
        ("Training.network.isolation", "`EnableNetworkIsolation` of CreateTrainingJob"),
        (
            "Processing.network.isolation",
            "`NetworkConfig.EnableNetworkIsolation` of CreateProcessingJob",
        ),
        (
            "Processing.inputs.asset",
            "`ProcessingInputs[].S3Input.S3Uri` of CreateProcessingJob",
        ),
        (
            "Processing.outputs.mode",
            "`ProcessingOutputConfig.Outputs[].S3Output.S3UploadMode` of CreateProcessingJob",
        ),
        ("CreateModel.model", "`PrimaryContainer.ModelDataUrl` of CreateModel"),
        (
            "RegisterModel.model",
            "`InferenceSpecification.Containers[].ModelDataUrl` of CreateModelPackage",
        ),
        ("Training.cache", "`CacheConfig` of the step in the definition JSON"),
        ("Processing.files", "`PropertyFiles[]` of the step in the definition JSON"),
        ("Fail.message", "`ErrorMessage` of the step in the definition JSON"),
        (
            "parallelism",
            "`ParallelismConfiguration.MaxParallelExecutionSteps` of CreatePipeline",
        ),
    ],
)
def test_a_field_names_the_api_field_that_it_becomes(word: str, becomes: str) -> None:
    assert facts(word)["Becomes"] == becomes


def test_every_field_with_an_api_name_finds_its_api_field() -> None:
    without = {
        (kind.name, name)
        for kind in KINDS
        for name, field in fields_of(kind)[0].items()
        if field.api and api_of(kind, schemas.start(field.schema, name), field) == ("", "")
    }
    assert without == set()


def test_what_aws_says_comes_from_the_api_model() -> None:
    assert facts("Training.instance.type")["AWS says"] == "The ML compute instance type."
    assert "AWS says" not in facts("Training.cache")


def test_a_field_page_tells_types_limits_words_and_defaults() -> None:
    assert facts("Training.instance.count")["Limits"] == "at least 1; at most 5,000"
    assert facts("Processing.outputs.mode")["Allowed"] == "`EndOfJob`, `Continuous`"
    assert facts("RegisterModel.approval")["Default"] == "PendingManualApproval"
    assert facts("Training.retry.on")["Allowed"].startswith("`throttling`, `service_fault`")
    given = "that of the Training, Tuning or AutoML step in `model`"
    assert facts("CreateModel.image")["Default"] == given
    assert facts("Training.image")["Required"] == "yes; `defaults` may give it"
    assert facts("Training.image.framework")["Required"] == "yes"
    assert facts("Training.cache")["References"].startswith("none")
    assert facts("Training.instance.type")["References"] == "`${…}` and templates"
    assert facts("parameters")["Limits"].startswith("at most 200 entries; names")


def test_names_of_the_users_own_may_stand_in_a_path() -> None:
    assert explain("Training.inputs.train.source") == explain("Training.inputs.source")
    assert explain("environments.prod.parallelism").title == "environments.parallelism"


def test_letter_case_and_pasted_codes_do_not_matter() -> None:
    assert explain("training") == explain("Training")
    assert explain("error[unknown-key]") == explain("unknown-key")
    assert explain("[unknown-key]:") == explain("unknown-key")


def test_a_field_name_alone_shows_the_first_kind_that_has_it() -> None:
    page = explain("instance")
    assert page.title == "Processing.instance"
    assert "`Training.instance`" in render(page)


def test_unknown_words_get_the_nearest_name() -> None:
    assert hint("Traning") == "did you mean `sagedag explain Training`?"
    assert hint("Training.instanc") == "did you mean `sagedag explain Training.instance`?"
    assert (
        hint("Training.instance.cuont") == "did you mean `sagedag explain Training.instance.count`?"
    )
    assert hint("unknown-kye") == "did you mean `sagedag explain unknown-key`?"
    assert hint("conditoins") == "did you mean `sagedag explain conditions`?"
    assert hint("zzzz") == "`sagedag explain` lists what there is"
    assert "says what it is" in hint("Training.cache.deeper")


@given(st.text(max_size=40) | st.lists(st.sampled_from([*WORDS, "", "a"])).map(".".join))
@example("..")
@example("Training.")
@example("Training..instance")
@example("\x1b[31mred")
@example("request.A.B")
def test_any_word_has_a_page_or_a_hint(word: str) -> None:
    try:
        assert render(cached(word))
    except UsageError as error:
        assert error.hint
        assert "\x1b" not in error.message


def test_the_overview_names_every_kind_key_and_topic() -> None:
    named = {cell.strip("`") for cell in cells(explain())}
    assert {kind.name for kind in KINDS} | set(TOP) | set(TOPICS) <= named


def test_the_list_of_codes_is_complete() -> None:
    assert set(CATALOGUE) <= {cell.strip("`") for cell in cells(explain("codes"))}


def test_the_page_of_templates_knows_every_filter_and_method() -> None:
    text = render(explain("templates"))
    for name in [*METHODS, *(set(SANDBOX.filters) - {"d"})]:
        assert f"`{name}`" in text, name
    for name in ("sha", "branch", "tag", "dirty", "repository"):
        assert f"git.{name}" in text


def test_the_page_of_references_knows_every_execution_variable() -> None:
    text = " ".join(cells(explain("references")))
    assert all(f"`execution.{name}`" in text for name in EXECUTION)


def test_the_page_of_merging_knows_what_replaces_as_a_whole() -> None:
    text = " ".join(render(explain("merging")).split())
    assert all(f"`{name}`" in text for name in WHOLE_FIELDS)


def test_the_page_of_environments_knows_the_keys_of_environments_yaml() -> None:
    assert set(ENVIRONMENT) <= {cell.strip("`") for cell in cells(explain("environments"))}


def test_a_kind_that_is_looked_up_is_the_kind() -> None:
    assert kind_named("Training") in KINDS

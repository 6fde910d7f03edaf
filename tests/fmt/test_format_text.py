from __future__ import annotations

from textwrap import dedent

import pytest
import yaml
from orders import ORDER

from pipelines.language.formatter import FormatRefused, KeyOrder, format_text


@pytest.fixture(autouse=True, params=["c", "pure"])
def parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "pure":
        monkeypatch.delattr(yaml, "CSafeLoader", raising=False)


def fmt(text: str) -> str:
    once = format_text(text, ORDER)
    assert format_text(once, ORDER) == once
    return once


def expect(before: str, after: str) -> None:
    assert fmt(dedent(before).lstrip("\n")) == dedent(after).lstrip("\n")


def test_top_level_and_step_keys_take_the_documented_order_and_comments_go_with_them() -> None:
    expect(
        """
        # yaml-language-server: $schema=x.json
        # all the steps
        steps:
          # first comes the data
          prep:
            outputs: [b, a]      # b before a
            # what runs
            code: prep.py
            type: Processing

          zebra:
            message: "no"
            type: Fail
          alpha: {message: kept, type: Fail}

        parameters:
          Z: 1
          A: 2
        pipeline:   'p'
        description: |
          two
          # lines
        """,
        """
        # yaml-language-server: $schema=x.json
        pipeline:   'p'

        description: |
          two
          # lines
        parameters:
          Z: 1
          A: 2
        # all the steps
        steps:
          # first comes the data
          prep:
            type: Processing
            # what runs
            code: prep.py
            outputs: [b, a]      # b before a

          zebra:
            type: Fail
            message: "no"
          alpha: {message: kept, type: Fail}
        """,
    )


def test_branches_are_formatted_all_the_way_down() -> None:
    expect(
        """
        steps:
          gate:
            else:
              stop: &s
                message: no
                type: Fail
            then:
              inner:
                then:
                  a:
                    code: a.py
                    type: Processing
                if: x
                type: Condition
            if: y
            type: Condition
        pipeline: p
        """,
        """
        pipeline: p
        steps:
          gate:
            type: Condition
            if: y
            then:
              inner:
                type: Condition
                if: x
                then:
                  a:
                    type: Processing
                    code: a.py
            else:
              stop: &s
                type: Fail
                message: no
        """,
    )


def test_unknown_keys_stay_last_in_their_own_order() -> None:
    expect("zz: 1\naa: 2\nsteps: {}\npipeline: p\n", "pipeline: p\nsteps: {}\nzz: 1\naa: 2\n")


def test_an_anchor_is_pulled_up_to_just_before_its_first_use() -> None:
    expect(
        """
        x-later: 1
        x-image: &image {framework: sklearn}
        x-other: &other 5
        steps:
          a:
            image: *image
            type: Processing
        defaults:
          image: *image
        pipeline: p
        tags: {n: *other}
        """,
        """
        pipeline: p
        x-image: &image {framework: sklearn}
        defaults:
          image: *image
        steps:
          a:
            type: Processing
            image: *image
        x-other: &other 5
        tags: {n: *other}
        x-later: 1
        """,
    )


def test_a_redefined_anchor_keeps_meaning_what_it_meant() -> None:
    text = "tags: &a 1\nx-1: *a\npipeline: &a p\nvars: *a\n"
    assert fmt(text) == text


def test_environment_overlays_and_the_environments_file() -> None:
    expect(
        """
        environments:
          # the big one
          prod:
            steps:
              a:
                code: x
                type: Processing
            parameters: {A: 1}
          dev: {}
        pipeline: p
        """,
        """
        pipeline: p
        environments:
          # the big one
          prod:
            parameters: {A: 1}
            steps:
              a:
                type: Processing
                code: x
          dev: {}
        """,
    )
    expect(
        "environments:\n  dev:\n    region: r\n    account: '1'\n",
        "environments:\n  dev:\n    account: '1'\n    region: r\n",
    )


def test_header_deep_comments_blank_lines_and_footer_stay_where_they_belong() -> None:
    expect(
        """
        # Copyright somebody

        # about tags
        tags: {}
          # still about tags

        # free standing

        # about pipeline
        pipeline: p
        steps:
          a:
            code: x
            # image: commented out, last in a
          # end of steps
        # end of file
        """,
        """
        # Copyright somebody

        # free standing

        # about pipeline
        pipeline: p

        steps:
          a:
            code: x
            # image: commented out, last in a
          # end of steps
        # about tags
        tags: {}
          # still about tags
        # end of file
        """,
    )


def test_document_marks_stay_around() -> None:
    expect(
        "%YAML 1.1\n# top\n---\nsteps: {}\npipeline: p\n...\n# bye\n",
        "%YAML 1.1\n# top\n---\npipeline: p\nsteps: {}\n...\n# bye\n",
    )


def test_white_space_goes_only_where_it_means_nothing() -> None:
    text = (
        "steps: {}   \n"
        "description: |  \n  kept   \n  \ttab\t\n      \n\n"
        'vars: {a: "x  \n   y  ",   \n  b: z} \n'
        "x-plain: one  \n  two  \n"
        "pipeline: 'p\tq' # comment  \n\n\n"
    )
    result = fmt(text)
    assert yaml.safe_load(result) == yaml.safe_load(text)
    assert result == (
        "pipeline: 'p\tq' # comment\n"
        "description: |\n  kept   \n  \ttab\t\n      \n\n"
        'vars: {a: "x  \n   y  ",\n  b: z}\n'
        "steps: {}\n"
        "x-plain: one\n  two\n"
    )


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_line_breaks_keep_their_kind(newline: str) -> None:
    text = newline.join(["steps: {}", "pipeline: p", ""])
    assert fmt(text) == newline.join(["pipeline: p", "steps: {}", ""])


def test_a_missing_last_line_break_is_added_in_the_file_s_own_kind() -> None:
    assert fmt("steps: {}\r\npipeline: p") == "pipeline: p\r\nsteps: {}\r\n"
    assert fmt("pipeline: p") == "pipeline: p\n"


def test_a_byte_order_mark_stays_first() -> None:
    assert fmt("\ufeffsteps: {}\npipeline: p\n") == "\ufeffpipeline: p\nsteps: {}\n"


@pytest.mark.parametrize(
    "text", ["", "\n \n", "# only\n", "# only  \n\n", "- a\n- b\n", "{b: 1}\n"]
)
def test_documents_without_a_block_mapping(text: str) -> None:
    stripped = "\n".join(line.rstrip() for line in text.splitlines()).rstrip("\n")
    assert fmt(text) == (stripped + "\n" if stripped else "")


def test_a_keep_scalar_s_blank_lines_are_its_value() -> None:
    text = "steps: {}\n\ndescription: |+\n  x\n\n\npipeline: p\n"
    assert fmt(text) == text
    tail = "pipeline: p\ndescription: |+\n  x\n\n\n"
    assert fmt(tail) == tail


def test_explicit_keys_and_merge_keys_are_left_alone() -> None:
    text = "? steps\n: {}\n? pipeline\n: p\n"
    assert fmt(text) == text
    assert fmt("a: &a {}\n<<: *a\npipeline: p\n") == "pipeline: p\na: &a {}\n<<: *a\n"


def test_an_empty_value_above_comments() -> None:
    expect("steps:\n# c\npipeline:\n  # d\n", "# c\npipeline:\n  # d\nsteps:\n")


@pytest.mark.parametrize(
    ("text", "line", "column", "words"),
    [
        ("a: 1\na: 2\n", 2, 1, "twice"),
        ("a: [1\nb: 2\n", 2, 2, "YAML"),
        ("a: 1\n--- \nb: 1\n", 2, 1, "more than one document"),
        ("a: *x\n", 1, 4, "no anchor"),
        ("a: &x [*x]\n", 1, 8, "inside itself"),
        ("a: 1\ndescription: |\n  x", 2, 14, "line break"),
        ("a: 'x\u2028y'\n", 1, 6, "U+2028"),
        ("a: " + "[" * 30_000, 1, 67, "deeper"),
        ("a: " + "{b: " * 30_000, 1, 256, "deeper"),
        ("a: [" + "1," * 60_000 + "]\n", 1, None, "nodes"),
        ("#" * 1_100_000, 1, 1, "larger"),
        ("a: \x00\n", 1, 1, "YAML"),
        ("a: \ud800\n", 1, 1, "YAML"),
    ],
)
def test_refusals_name_the_place(text: str, line: int, column: int | None, words: str) -> None:
    with pytest.raises(FormatRefused, match=words.replace("+", r"\+")) as caught:
        format_text(text, ORDER)
    if column is not None:
        assert (caught.value.line, caught.value.column) == (line, column)


def test_aliases_of_aliases_cost_nothing() -> None:
    levels = ["x-0: &a0 [1, 1]"] + [
        f"x-{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 40)
    ]
    # Unfolded, these are 9 to the 39th values: whatever walked them would never end.
    assert fmt("\n".join([*levels, "pipeline: p", ""])).startswith("pipeline: p\nx-0")


def test_an_order_that_would_lose_meaning_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    # The run-time check is the last defence: break the mover and see that it notices.
    from pipelines.language.formatting import arrange, formatter

    monkeypatch.setattr(arrange.Arranger, "lines", lambda self: [0, 0])
    with pytest.raises(FormatRefused, match="lose or double"):
        formatter.format_text("pipeline: p\nsteps: {}\n", ORDER)
    monkeypatch.setattr(arrange.Arranger, "lines", lambda self: [0, 2, 1])
    with pytest.raises(FormatRefused, match="change what"):
        formatter.format_text("parameters:\n  A: 1\n  B: 2\n", ORDER)


def test_a_large_definition_is_formatted(request: pytest.FixtureRequest) -> None:
    if "pure" in request.node.name:
        pytest.skip("the pure parser is the slow fallback")
    steps = "".join(f"  s{n}:\n    code: x\n    type: Processing\n\n" for n in range(1000))
    result = format_text(f"steps:\n{steps}pipeline: p\n", KeyOrder(ORDER.top, ORDER.step))
    assert result.startswith("pipeline: p")
    assert result.count("    type: Processing\n    code: x\n") == 1000

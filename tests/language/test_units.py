"""The language's parts on their own: places, limits, layers, templates, references, conditions."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.language.check import Checked, check
from pipelines.language.condition import clauses_of
from pipelines.language.diagnostics import Report, nearest
from pipelines.language.foreign import protect, settle
from pipelines.language.nodes import MapNode, Node, Scalar, get, inside, walk
from pipelines.language.reference_syntax import Piece, Segment, Wrong, parse_path, split, text_of
from pipelines.language.references import Scope, resolve_text
from pipelines.language.source import MAX_BYTES, read
from steps._expressions import Join, ParameterRef

CASES = Path(__file__).parents[1] / "cases" / "bad"
DEFAULTS = "defaults: {instance: ml.m5.large, image: {framework: sklearn, version: 1.4-2-py312}}\n"


def tree(text: str) -> Node:
    report = Report()
    made = read(Path("/x/pipeline.yaml"), "pipeline.yaml", text.encode(), report)
    assert made is not None, report.diagnostics
    return made


def spec_of(text: str, **options: Any) -> Any:
    found = check(CASES / "unit.yaml", text=text.encode(), **options)
    assert found.program is not None
    assert not found.failed, [(d.code, d.message) for d in found.diagnostics]
    return found.program.spec


def broken(text: str, **options: Any) -> Checked:
    found = check(CASES / "unit.yaml", text=text.encode(), **options)
    assert found.failed
    return found


# --- Places --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("a: one MARK two", (1, 8)),
        ('a: "one MARK two"', (1, 9)),
        ("a: 'it''s MARK'", (1, 11)),
        ('a: "tab\\t MARK"', (1, 11)),
        ('a: "\\u00e9 MARK"', (1, 12)),
        ('a: "one\n  two MARK"', (2, 7)),
        ("a: one\n  two\n\n  MARK", (4, 3)),
        ("a: |\n  one\n    MARK\n", (3, 5)),
        ("a: >\n  one\n  two MARK\n\n  x\n", (3, 7)),
        ("a: >-\n\n    one\n\n    MARK", (5, 5)),
        ("a: |2\n   one\n  MARK\n", (3, 3)),
        ("a: [x, 'MARK']", (1, 9)),
        ('a: "one \\\n  MARK"', (2, 3)),
        ("a: 🜚 MARK", (1, 6)),
    ],
)
def test_inside_finds_the_place_in_every_style(text: str, place: tuple[int, int]) -> None:
    leaf = next(scalar for _, scalar in walk(tree(text)) if "MARK" in scalar.text)
    span = inside(leaf, str(leaf.value).index("MARK"), 4)
    assert (span.line, span.column, span.end) == (*place, place[1] + 4)


@given(st.lists(st.text("ab é🜚'\"\\\t", min_size=1, max_size=6), min_size=1, max_size=6))
def test_inside_never_points_at_other_text(words: list[str]) -> None:
    value = " ".join(words) + " MARK"
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\t", "\\t")
    leaf = get(tree(f'a: "{escaped}"'), "a")
    assert isinstance(leaf, Scalar)
    assert leaf.value == value
    span = inside(leaf, value.index("MARK"), 4)
    assert leaf.source.lines[span.line - 1][span.column - 1 : span.end - 1] == "MARK"


def test_inside_falls_back_to_the_scalar_where_a_template_changed_it() -> None:
    leaf = get(tree("a: 'x {{ y }}'"), "a")
    assert isinstance(leaf, Scalar)
    changed = Scalar("something else", "something else", leaf.source, leaf.span, quoted=True)
    assert inside(changed, 3, 4) == leaf.span


# --- Reading -------------------------------------------------------------------------------------


def diagnosed(data: bytes) -> list[str]:
    report = Report()
    assert read(Path("/x/p.yaml"), "p.yaml", data, report) is None
    return [each.code for each in report.diagnostics]


def test_limits_of_a_file() -> None:
    assert diagnosed(b"a: " + b"x" * MAX_BYTES) == ["too-large"]
    assert diagnosed(b"[" * 200_000) == ["too-large"]
    assert diagnosed(b"{" * 200_000) != []
    assert diagnosed(b"- a\n" * 60_000) == ["too-large"]
    long = b"a: &a '" + b"x" * 60_000 + b"'\nb: [" + b"*a, " * 1000 + b"]\n"
    assert diagnosed(long) == ["too-large"]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"), ("1:30", "1:30"), ("017", "017"), ("0x1F", "0x1F"), ("+1", "+1"),
        ("2024-01-01", "2024-01-01"), ("1_000", "1_000"), (".5", ".5"), ("1.", "1."),
        ("true", True), ("~", None), ("null", None), ("7", 7), ("-0.5", -0.5), ("1e3", 1000.0),
        ("1e999", "1e999"), ("'7'", "7"), ("!!str 7", "7"), (".inf", ".inf"), (".nan", ".nan"),
    ],
)  # fmt: skip
def test_scalars_follow_json_and_yaml_1_2(text: str, value: Any) -> None:
    leaf = get(tree(f"a: {text}"), "a")
    assert isinstance(leaf, Scalar)
    assert leaf.value == value
    assert type(leaf.value) is type(value)


def test_text_fields_keep_the_source_text_of_numbers() -> None:
    made = spec_of(
        "pipeline: p\nvars: {v: 2.10}\nsteps:\n  a: {type: Fail, message: 2.10}\n"
        '  b: {type: Fail, message: "{{ vars.v }}"}\n  c: {type: Fail, message: "v{{ vars.v }}"}\n'
    )
    assert [s.step.fields["message"] for s in made.walk()] == ["2.10", "2.10", "v2.10"]


# --- Layers --------------------------------------------------------------------------------------


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "environments.yaml").write_text(
        "environments:\n  dev:\n    region: us-east-1\n    bucket: dev-bucket\n"
        "    role: arn:aws:iam::111122223333:role/pipelines\n    vars: {a: env, b: env, c: env}\n"
        "    tags: {a: env, b: env}\n    defaults: {instance: {type: ml.m5.large, volume_gb: 11}}\n"
    )
    (tmp_path / "low.yaml").write_text(
        "vars: {b: low, c: low, d: low}\nparameters: {P: 1, Q: {default: a, enum: [a, b]}}\n"
        "tags: {b: low}\nsteps:\n  first: {type: Fail, message: low}\n"
        "  gone: {type: Fail, message: low}\n"
    )
    (tmp_path / "base.yaml").write_text("extends: low.yaml\nvars: {c: base, d: base}\n")
    return tmp_path


def test_precedence_of_layers(project: Path) -> None:
    (project / "pipeline.yaml").write_text(
        "extends: base.yaml\npipeline: p\nvars: {d: file}\nparameters: {Q: b}\n"
        "tags: {a: null}\n"
        'steps:\n  gone: null\n  own: {type: Fail, message: "{{ vars.a }} {{ vars.b }} '
        '{{ vars.c }} {{ vars.d }}"}\n'
        "environments:\n  dev: {parameters: {P: 3}, steps: {first: {message: over}}}\n"
    )

    def load(**options: Any) -> Any:
        found = check(project / "pipeline.yaml", environment="dev", **options)
        assert not found.failed, found.diagnostics
        assert found.program is not None
        return found.program.spec

    spec = load()
    assert {s.name: s.step.fields["message"] for s in spec.walk()} == {
        "first": "over", "own": "env low base file",
    }  # fmt: skip
    assert [(p.name, p.default, p.enum) for p in spec.parameters] == [
        ("P", 3, ()), ("Q", "b", ("a", "b")),
    ]  # fmt: skip
    assert dict(spec.tags) == {"b": "low"}
    assert list(load(variables={"d": "given"}).walk())[1].step.fields["message"].endswith("given")


def test_defaults_then_kind_then_inferred_then_step(project: Path) -> None:
    (project / "code.py").write_text("")
    (project / "pipeline.yaml").write_text(
        "pipeline: p\ndefaults:\n  instance: ml.m5.xlarge\n"
        "  image: {framework: sklearn, version: 1.2-1}\n"
        "  Training: {image: {framework: xgboost, version: 1.7-1}}\n"
        "steps:\n  prepare: {type: Processing, code: code.py, instance: {count: 2}}\n"
        "  train: {type: Training, inputs: {train: s3://b/x}}\n"
        '  create: {type: CreateModel, model: "${steps.train.model}"}\n'
        '  other: {type: CreateModel, model: "${steps.train.model}", image: a/b}\n'
    )
    found = check(project / "pipeline.yaml", environment="dev")
    assert not found.failed, found.diagnostics
    assert found.program is not None
    fields = {s.name: s.step.fields for s in found.program.spec.walk()}
    # A short form over a long one keeps what only the long one says.
    assert fields["prepare"]["instance"] == {"type": "ml.m5.xlarge", "volume_gb": 11, "count": 2}
    assert fields["prepare"]["image"]["framework"] == "sklearn"
    assert fields["create"]["image"] == fields["train"]["image"]
    assert fields["create"]["image"] == {"framework": "xgboost", "version": "1.7-1"}
    assert fields["other"]["image"] == "a/b"


def test_top_keys_beginning_with_x_are_ignored() -> None:
    made = spec_of(
        "pipeline: p\nx-a: {nonsense: [1]}\nx-m: &m no\nsteps: {a: {type: Fail, message: *m}}\n"
    )
    assert [s.step.fields["message"] for s in made.walk()] == ["no"]


def test_two_steps_of_one_name_in_two_branches_are_told_as_such() -> None:
    found = broken(
        "pipeline: p\n" + DEFAULTS + "parameters: {F: true}\nsteps:\n"
        "  a: {type: Processing, code: code/job.py, inputs: {x: s3://b/x}}\n"
        "  c:\n    type: Condition\n    if: parameters.F\n    then:\n"
        "      a: {type: CreateModel, model: s3://b/m}\n"
    )
    assert [d.code for d in found.diagnostics if d.level == "error"] == ["duplicate-step"]


# --- Templates and foreign text ------------------------------------------------------------------


def messages(template: str, **options: Any) -> Any:
    made = spec_of(
        "pipeline: p\nvars: {n: 3, t: text, b: true, f: 0.50}\nparameters: {A: 1}\n"
        f"steps: {{a: {{type: Fail, message: '{template}'}}}}\n",
        **options,
    )
    return next(made.walk()).step.fields["message"]


@pytest.mark.parametrize(
    ("template", "value"),
    [
        ("{{ vars.n * 2 }} and {{ vars.t | upper }}", "6 and TEXT"),
        ("{{ vars.b }} {{ vars.f }}", "true 0.50"),
        ('{{ "a" if vars.b else "b" }}', "a"),
        ("{{ vars.t ~ vars.n ~ vars.b }}", "text3true"),
        ('{{ vars.x | default("none") }}', "none"),
        ("{{ 2.5 | round(0) }}", "2.0"),
        ('{{ "A b/c" | slug }}', "A-b-c"),
        ("{% if %} {# no #} $${literal}", "{% if %} {# no #} ${literal}"),
    ],
)
def test_templates(template: str, value: str) -> None:
    assert messages(template) == value


@pytest.mark.parametrize(
    "template",
    [
        "{{ 5 | round(-1000000000) }}", '{{ "a" * 99 }}', '{{ ("x" | float) / 0 }}',
        '{{ "nan" | float }}', "{{ 10**9 }}", "{{ vars.t.format(1) }}", "{{ vars.t.__class__ }}",
        '{{ vars["t"].upper }} x', "{{ [1] }}", "{{ vars }} x", '{{ "".join(vars) }}',
        "{{ 999999999999999 * 9 }}", "{{ 1e999 }}", '{{ vars.t | attr("x") }}', "{{ cycler() }}",
        "{{ self }}",
    ],
)  # fmt: skip
def test_templates_reach_no_further(template: str) -> None:
    found = broken(
        f"pipeline: p\nvars: {{t: text}}\nsteps: {{a: {{type: Fail, message: '{template}'}}}}\n"
    )
    assert {d.code.split("-")[0] for d in found.diagnostics} == {"template"}


def test_nothing_is_parsed_twice() -> None:
    made = spec_of(
        "pipeline: p\nvars: {a: '{{ \"{\" ~ \"{ env }}\" }}', n: '7'}\n"
        "steps:\n  a: {type: Fail, message: '{{ vars.a }}'}\n"
        "  b: {type: Fail, message: '{{ vars.n }}'}\n"
    )
    assert [s.step.fields["message"] for s in made.walk()] == ["{{ env }}", "7"]


@pytest.mark.parametrize("text", ["${parameters.A}", "$${x}", "{{ env }}", "a'b\"c.d[0]", "${"])
def test_text_of_the_command_line_stays_text(text: str) -> None:
    assert messages("{{ vars.t }}", variables={"t": text}) == text
    assert messages("<{{ vars.t ~ vars.t }}>", variables={"t": text}) == f"<{text}{text}>"
    joined = messages("{{ vars.t }} ${parameters.A}", variables={"t": text})
    assert joined == Join((f"{text} ", ParameterRef("A", "integer")))


def test_text_of_the_command_line_stays_text_in_a_condition() -> None:
    text = (
        "pipeline: p\nvars: {v: x}\nparameters: {A: a, B: b}\nsteps:\n  c:\n    type: Condition\n"
        "    if: \"parameters.A == '{{ vars.v }}'\"\n    then: {s: {type: Fail, message: no}}\n"
    )
    hostile = "x' or parameters.B == 'b"
    made = spec_of(text, variables={"v": hostile})
    ((comparison,),) = next(made.walk()).clauses
    assert comparison.right == hostile
    bare = text.replace("'{{ vars.v }}'", "{{ vars.v }}")
    assert "condition-syntax" in {
        d.code for d in broken(bare, variables={"v": "parameters.B"}).diagnostics
    }


@given(st.text())
def test_protected_text_comes_back(text: str) -> None:
    plain = settle(text)
    assert settle(protect(plain)) == plain
    assert settle(protect(plain, words=True)) == plain
    assert "$" not in protect(plain)


def test_variables_of_the_command_line_have_types() -> None:
    text = "pipeline: p\nvars: {n: 1}\nparallelism: '{{ vars.n }}'\n"
    text += "steps: {a: {type: Fail, message: x}}"
    assert spec_of(text, variables={"n": "5"}).parallelism == 5
    broken(text, variables={"n": "five"})


# --- References ----------------------------------------------------------------------------------

SEGMENTS = st.one_of(
    st.integers(0, 99), st.from_regex(r"[A-Za-z_][A-Za-z0-9_-]{0,8}", fullmatch=True),
    st.text(st.characters(blacklist_characters="'\"[]{}$\ufdd0\ufdd1\ufdd2\ufdd3\ufdd4",
                          blacklist_categories=("Cs",)), min_size=1, max_size=8),
)  # fmt: skip


@given(st.from_regex(r"[a-z]{1,8}", fullmatch=True), st.lists(SEGMENTS, max_size=6))
def test_a_written_reference_reads_as_what_was_meant(root: str, rest: list[str | int]) -> None:
    segments = [Segment(value, 0, 0) for value in [root, *rest]]
    found = parse_path(text_of(segments))
    assert isinstance(found, list)
    assert [segment.value for segment in found] == [root, *rest]


@given(st.text("ab${}'\". []0", max_size=40))
def test_reading_references_never_fails_and_places_lie_in_the_text(text: str) -> None:
    found = split(text)
    pieces = [found] if isinstance(found, Wrong) else found
    for piece in pieces:
        if isinstance(piece, Piece):
            assert 0 <= piece.begin <= len(text)
            if piece.is_reference:
                assert text[piece.begin :].startswith(piece.text)
        else:
            assert 0 <= piece.begin < piece.end <= len(text)
    made = resolve_text(text, Scope({"a": "string"}, {}))
    for wrong in made if isinstance(made, list) else []:
        assert 0 <= wrong.begin < wrong.end <= max(1, len(text)) + 1


def test_dollar_dollar_is_a_literal() -> None:
    scope = Scope({"A": "string"}, {})
    assert resolve_text("$${parameters.A}", scope) == "${parameters.A}"
    assert resolve_text("${parameters.A}", scope) == ParameterRef("A", "string")
    assert resolve_text("a$ {b}", scope) == "a$ {b}"


# --- Conditions ----------------------------------------------------------------------------------

NAMES = ("A", "B", "C", "D")
CONDITIONS = st.recursive(
    st.sampled_from(NAMES).map(lambda name: ("leaf", name)),
    lambda inner: st.one_of(
        inner.map(lambda tree: ("not", tree)),
        st.tuples(st.sampled_from(("and", "or")), st.lists(inner, min_size=2, max_size=3)),
    ),
    max_leaves=7,
)


def written(tree: Any) -> str:
    if tree[0] == "leaf":
        return f"parameters.{tree[1]}"
    if tree[0] == "not":
        return f"not ({written(tree[1])})"
    return "(" + f" {tree[0]} ".join(written(part) for part in tree[1]) + ")"


def holds(tree: Any, values: dict[str, bool]) -> bool:
    if tree[0] == "leaf":
        return values[tree[1]]
    if tree[0] == "not":
        return not holds(tree[1], values)
    return (all if tree[0] == "and" else any)(holds(part, values) for part in tree[1])


@settings(max_examples=200, deadline=None)
@given(CONDITIONS, st.lists(st.booleans(), min_size=4, max_size=4))
def test_clauses_mean_what_the_condition_means(tree: Any, given_values: list[bool]) -> None:
    values = dict(zip(NAMES, given_values, strict=True))
    clauses = clauses_of(written(tree), Scope(dict.fromkeys(NAMES, "boolean"), {}))
    if isinstance(clauses, list):
        assert {wrong.code for wrong in clauses} == {"condition-too-large"}
        return
    assert len(clauses) <= 64

    def compare(comparison: Any) -> bool:
        assert comparison.operator == "Equals"
        return (values[comparison.left.name] == comparison.right) != comparison.negated

    lowered = all(any(compare(part) for part in clause) for clause in clauses)
    assert lowered == holds(tree, values)


@pytest.mark.parametrize(
    ("text", "operator", "right", "negated"),
    [
        ("parameters.N < 3", "LessThan", 3, False),
        ("3 < parameters.N", "GreaterThan", 3, False),
        ("not parameters.N < 3", "GreaterThanOrEqualTo", 3, False),
        ("not (parameters.N >= 3)", "LessThan", 3, False),
        ("parameters.N != 3", "Equals", 3, True),
        ("not parameters.N != 3", "Equals", 3, False),
        ("parameters.S in ['a', 'b']", "In", ["a", "b"], False),
        ("parameters.S not-in ['a']", "In", ["a"], True),
        ("parameters.S not in ['a']", "In", ["a"], True),
        ("not (parameters.S in ['a'])", "In", ["a"], True),
        ("${parameters.S} == 'and'", "Equals", "and", False),
    ],
)
def test_comparisons(text: str, operator: str, right: Any, negated: bool) -> None:
    scope = Scope({"N": "integer", "S": "string"}, {})
    found = clauses_of(text, scope)
    assert not isinstance(found, list), found
    ((comparison,),) = found
    assert (comparison.operator, comparison.right, comparison.negated) == (operator, right, negated)


@given(st.text("parmetes.AB <>=!()[]'\"and or not in 0.5,${}", max_size=60))
def test_reading_conditions_never_fails(text: str) -> None:
    found = clauses_of(text, Scope({"A": "float", "B": "string"}, {}))
    for wrong in found if isinstance(found, list) else []:
        assert 0 <= wrong.begin < wrong.end <= max(1, len(text)) + 1


# --- Steps made of others ------------------------------------------------------------------------


def test_matrix_and_fan_in() -> None:
    made = spec_of(
        "pipeline: p\n" + DEFAULTS + "steps:\n  'train-{{ matrix.d }}-{{ matrix.k }}':\n"
        "    type: Training\n    code: {dir: code, entry: train.py}\n"
        "    matrix:\n      d: [4, 8]\n      k: [a, b]\n      exclude: [{d: 8, k: b}]\n"
        "      include: [{d: 9, k: z}]\n"
        "    hyperparameters: {depth: '{{ matrix.d }}'}\n"
        "  compare:\n    type: Processing\n    code: code/job.py\n"
        "    inputs: {models: {each: 'train-*', value: model}}\n"
    )
    steps = {s.name: s.step.fields for s in made.walk()}
    assert list(steps) == ["train-4-a", "train-4-b", "train-8-a", "train-9-z", "compare"]
    assert steps["train-9-z"]["hyperparameters"] == {"depth": 9}
    inputs = steps["compare"]["inputs"]
    assert [value["source"].step for value in inputs.values()] == list(steps)[:4]
    assert [value["path"] for value in inputs.values()] == [
        f"/opt/ml/processing/models/{name}" for name in list(steps)[:4]
    ]


def test_globs_of_depends_on_keep_the_order_of_the_file() -> None:
    made = spec_of(
        "pipeline: p\nsteps:\n  b1: {type: Fail, message: x}\n  a1: {type: Fail, message: x}\n"
        "  end: {type: Fail, message: x, depends_on: ['*1']}\n"
    )
    assert [d.step for d in list(made.walk())[2].depends_on] == ["b1", "a1"]


@pytest.mark.parametrize(
    ("age", "wanted"),
    [("true", "30d"), ("30d", "30d"), ("false", ""), ("PT2H", "PT2H"), ("90m", "PT1H30M")],
)
def test_cache_ages(age: str, wanted: str) -> None:
    made = spec_of(
        "pipeline: p\n" + DEFAULTS + "steps:\n  a: {type: Processing, code: code/job.py, "
        f"cache: {age}}}\n"
    )
    assert next(made.walk()).cache == wanted


# --- Size ----------------------------------------------------------------------------------------


def test_a_thousand_steps_that_follow_each_other() -> None:
    lines = [
        f"  s{i}: {{type: Processing, code: code/job.py, outputs: [o], inputs: {{i: "
        + (f'"${{steps.s{i - 1}.outputs.o}}"' if i else "s3://b/x")
        + "}}\n"
        for i in range(1000)
    ]
    assert (
        len(list(spec_of("pipeline: p\n" + DEFAULTS + "steps:\n" + "".join(lines)).walk())) == 1000
    )


def test_ten_thousand_wrong_references_in_one_text_are_all_found() -> None:
    found = broken('pipeline: p\nsteps: {a: {type: Fail, message: "' + "${p.A} " * 10_000 + '"}}\n')
    columns = [d.span.column for d in found.diagnostics]
    assert len(columns) == 10_000
    assert {b - a for a, b in itertools.pairwise(columns)} == {7}


def test_a_megabyte_of_condition_ends() -> None:
    clause = "parameters.A > 1 and "
    text = clause * 40_000 + "parameters.A > 1"
    found = clauses_of(text, Scope({"A": "float"}, {}))
    assert isinstance(found, list)
    assert [wrong.code for wrong in found] == ["condition-too-large"]


def test_the_nearest_of_many_names() -> None:
    names = [f"step-number-{i}" for i in range(1000)]
    assert nearest("step-nunber-77", names) == "step-number-77"
    assert nearest("x" * 100_000, names) == ""


def test_places_of_a_merged_map_are_where_values_were_written() -> None:
    found = tree("a: {b: 1}\nc: 2\n")
    assert isinstance(found, MapNode)
    assert [(k, e.key.span.line) for k, e in found.entries.items()] == [("a", 1), ("c", 2)]


def test_a_message_does_not_quote_what_is_endless() -> None:
    found = broken(f"pipeline: p\nsteps: {{a: {{type: {'F' * 900_000}, message: x}}}}\n")
    assert max(len(d.message) for d in found.diagnostics) <= 600

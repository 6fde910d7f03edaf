from __future__ import annotations

import pytest

from pipelines.definition import Parameter
from pipelines.definition.model import Scalar
from pipelines.definition.parameters import bind, coerce, wire
from pipelines.errors import UsageError

PARAMETERS = (
    Parameter("Data", "String", "s3://b/k"),
    Parameter("Count", "Integer", 3),
    Parameter("Rate", "Float", 0.5),
    Parameter("Flag", "Boolean", False),
    Parameter("Kind", "String", "red", ("red", "green")),
)


def test_text_becomes_the_declared_type() -> None:
    given = {"Count": "-7", "Rate": "1e-3", "Flag": "TRUE", "Kind": "green", "Data": " 5 "}
    values = bind(PARAMETERS, given)
    assert values == {"Data": " 5 ", "Count": -7, "Rate": 0.001, "Flag": True, "Kind": "green"}
    assert [type(value) for value in values.values()] == [str, int, float, bool, str]


def test_defaults_stand_where_nothing_is_given() -> None:
    assert list(bind(PARAMETERS, {}).values()) == ["s3://b/k", 3, 0.5, False, "red"]


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("Count", "1.5", "is an Integer; `1.5` is not"),
        ("Count", "", "is an Integer"),
        ("Count", "1_000", "is an Integer"),
        ("Count", "9" * 30, "is an Integer"),
        ("Rate", "nan", "is a Float; `nan` is not"),
        ("Rate", "inf", "is a Float"),
        ("Rate", "1_0", "is a Float"),
        ("Flag", "yes", "is a Boolean; `yes` is not"),
        ("Kind", "gren", "is one of red, green; did you mean `green`?"),
        ("Data", "x" * 1025, "the service takes 1024"),
    ],
)
def test_a_value_that_does_not_fit_is_refused(name: str, text: str, says: str) -> None:
    with pytest.raises(UsageError, match=None) as caught:
        bind(PARAMETERS, {name: text})
    assert says in caught.value.message


def test_unknown_and_missing_names_are_refused() -> None:
    with pytest.raises(UsageError, match="no parameter `Cuont`; did you mean `Count`"):
        bind(PARAMETERS, {"Cuont": "1"})
    required = (Parameter("Owner", "String"), Parameter("Team", "String"))
    with pytest.raises(UsageError, match="no value for the parameters `Owner`, `Team`") as caught:
        bind(required, {})
    assert "-p Owner=VALUE" in caught.value.hint


@pytest.mark.parametrize(("value", "text"), [(True, "true"), (3, "3"), (0.5, "0.5"), ("a", "a")])
def test_wire_text_reads_back(value: Scalar, text: str) -> None:
    kinds = {bool: "Boolean", int: "Integer", float: "Float", str: "String"}
    assert wire(value) == text
    assert coerce(Parameter("P", kinds[type(value)]), text) == value  # type: ignore[arg-type]

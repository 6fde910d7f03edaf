"""Codes about templates: ``{{ … }}``."""

from __future__ import annotations

from pipelines.language.pages import Group, Page, example

GROUP = Group(
    "Templates",
    (
        Page(
            "template-syntax",
            "A template can't be read",
            "The text between `{{` and `}}` is no expression: a quote or bracket is not closed, an "
            "operator lacks its other side, or the `}}` is missing. `sagedag explain templates` "
            "shows what can be written.",
            "The value is needed when the definition is compiled.",
            example("""
                pipeline: demo
                steps:
                  stop: {type: Fail, message: "stopped in {{ env | }}"}
                """),
            example("""
                pipeline: demo
                steps:
                  stop: {type: Fail, message: "stopped in {{ env }}"}
                """),
        ),
        Page(
            "template-undefined",
            "A template uses a name that does not exist",
            "Templates know `env`, `region`, `account`, `bucket`, `prefix`, `role`, `pipeline`, "
            "`vars.*`, `git.*`, in a step with a matrix `matrix.*`, and `asset('path')`. "
            "Pipeline parameters and steps are not among them: their values are known only when "
            "the pipeline runs, and a reference `${…}` stands for them.",
            "An empty text in place of a misspelt name would be found much later, as a wrong path "
            "or a missing object.",
            example("""
                pipeline: demo
                vars: {reason: not yet}
                steps:
                  stop: {type: Fail, message: "{{ vars.raeson }}"}
                """),
            example("""
                pipeline: demo
                vars: {reason: not yet}
                steps:
                  stop: {type: Fail, message: "{{ vars.reason }}"}
                """),
        ),
        Page(
            "unknown-variable",
            "The command line sets a variable that nothing uses",
            "`--var NAME=VALUE` names a variable that the definition neither declares under `vars` "
            "nor uses in a template.",
            "Most likely the name is misspelt, and the value that was meant would keep its "
            "default. Where the variable is really new, write it under `vars`.",
            example(
                """
                pipeline: demo
                vars: {reason: not yet}
                steps:
                  stop: {type: Fail, message: "{{ vars.reason }}"}
                """,
                variables={"raeson": "no data"},
            ),
            example(
                """
                pipeline: demo
                vars: {reason: not yet}
                steps:
                  stop: {type: Fail, message: "{{ vars.reason }}"}
                """,
                variables={"reason": "no data"},
            ),
        ),
        Page(
            "template-forbidden",
            "A template does something that templates may not do",
            "Templates hold names, literals, comparisons, arithmetic with ordinary numbers, "
            "`a if b else c`, the test `is defined`, a documented set of filters, methods of text "
            "such as `.lower()`, and `asset('path')`. Text is put together with `~`.",
            "A definition is data that people review and machines compile. It must not be able to "
            "run code or to use up the machine that compiles it.",
            example("""
                pipeline: demo
                steps:
                  stop: {type: Fail, message: "{{ 'stopped in ' + env }}"}
                """),
            example("""
                pipeline: demo
                steps:
                  stop: {type: Fail, message: "{{ 'stopped in ' ~ env }}"}
                """),
        ),
        Page(
            "template-value",
            "A template gives no usable value",
            "The expression fails (a division by zero, a text that is no number), or gives a list "
            "or a map where one value is wanted.",
            "A template fills in one value; a whole list or map is written in YAML.",
            example("""
                pipeline: demo
                vars: {reasons: [no data, no time]}
                steps:
                  stop: {type: Fail, message: "{{ vars.reasons }}"}
                """),
            example("""
                pipeline: demo
                vars: {reasons: [no data, no time]}
                steps:
                  stop: {type: Fail, message: "{{ vars.reasons | join(', ') }}"}
                """),
        ),
    ),
)

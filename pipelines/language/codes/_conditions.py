"""Codes about Condition steps."""

from __future__ import annotations

from pipelines.language.pages import Group, Page, example

GROUP = Group(
    "Conditions",
    (
        Page(
            "condition-syntax",
            "A condition can't be read",
            "The text of `if` is no boolean expression. It has references (without `${}`), "
            "literals, `== != < <= > >=`, `in` and `not-in` with a list, and `and`, `or`, `not` "
            "with parentheses. Comparisons can't be chained. `sagedag explain conditions` shows "
            "more.",
            "The expression is translated to the service's own conditions, which know no more than "
            "that.",
            example("""
                pipeline: demo
                parameters: {Rows: 100}
                steps:
                  enough:
                    type: Condition
                    if: parameters.Rows => 1000
                    else:
                      stop: {type: Fail, message: too few rows}
                """),
            example("""
                pipeline: demo
                parameters: {Rows: 100}
                steps:
                  enough:
                    type: Condition
                    if: parameters.Rows >= 1000
                    else:
                      stop: {type: Fail, message: too few rows}
                """),
        ),
        Page(
            "condition-type",
            "A condition compares what can't be compared",
            "The two sides have different types, an order (`<`, `>=`, …) is asked of text, two "
            "constants are compared, or something that is no boolean stands alone.",
            "The service would refuse the comparison, or always give the same answer.",
            example("""
                pipeline: demo
                parameters: {Rows: 100}
                steps:
                  enough:
                    type: Condition
                    if: parameters.Rows >= "1000"
                    else:
                      stop: {type: Fail, message: too few rows}
                """),
            example("""
                pipeline: demo
                parameters: {Rows: 100}
                steps:
                  enough:
                    type: Condition
                    if: parameters.Rows >= 1000
                    else:
                      stop: {type: Fail, message: too few rows}
                """),
        ),
        Page(
            "condition-too-large",
            "A condition needs more than 64 clauses",
            "The service takes a list of clauses that must all hold, each of them one comparison "
            "or several of which one must hold. `(a and b) or (c and d)` becomes four clauses, and "
            "every further `or` of an `and` doubles them.",
            "The definition would grow beyond reading, and beyond the service's limits soon after.",
            example("""
                pipeline: demo
                parameters: {Site: north, Rows: 100}
                steps:
                  known:
                    type: Condition
                    if: >
                      parameters.Site == 'a' and parameters.Rows > 1 or
                      parameters.Site == 'b' and parameters.Rows > 2 or
                      parameters.Site == 'c' and parameters.Rows > 3 or
                      parameters.Site == 'd' and parameters.Rows > 4 or
                      parameters.Site == 'e' and parameters.Rows > 5 or
                      parameters.Site == 'f' and parameters.Rows > 6 or
                      parameters.Site == 'g' and parameters.Rows > 7
                    else:
                      stop: {type: Fail, message: an unknown site}
                """),
            example("""
                pipeline: demo
                parameters: {Site: north, Rows: 100}
                steps:
                  known:
                    type: Condition
                    if: parameters.Site in ['a', 'b', 'c', 'd'] and parameters.Rows > 4
                    else:
                      stop: {type: Fail, message: an unknown site}
                """),
        ),
        Page(
            "nested-condition",
            "A condition stands inside a branch",
            "A Condition step stands in the `then` or `else` of another.",
            "Older documentation of the service forbids it; today's SDK allows it. Where one "
            "condition with `and` says the same, nobody has to rely on that.",
            example("""
                pipeline: demo
                parameters: {Rows: 100, Strict: true}
                steps:
                  strict:
                    type: Condition
                    if: parameters.Strict
                    then:
                      enough:
                        type: Condition
                        if: parameters.Rows < 1000
                        then:
                          stop: {type: Fail, message: too few rows}
                """),
            example("""
                pipeline: demo
                parameters: {Rows: 100, Strict: true}
                steps:
                  enough:
                    type: Condition
                    if: parameters.Strict and parameters.Rows < 1000
                    then:
                      stop: {type: Fail, message: too few rows}
                """),
            level="warning",
        ),
        Page(
            "empty-condition",
            "A condition has no steps in its branches",
            "Neither `then` nor `else` holds a step.",
            "The comparison decides nothing. Perhaps the branches are indented wrongly and stand "
            "beside the condition.",
            example("""
                pipeline: demo
                parameters: {Rows: 100}
                steps:
                  enough:
                    type: Condition
                    if: parameters.Rows < 1000
                  stop: {type: Fail, message: too few rows}
                """),
            example("""
                pipeline: demo
                parameters: {Rows: 100}
                steps:
                  enough:
                    type: Condition
                    if: parameters.Rows < 1000
                    then:
                      stop: {type: Fail, message: too few rows}
                """),
            level="warning",
        ),
        Page(
            "waits-for-condition",
            "A step waits for a condition",
            "A step names a Condition in `depends_on`, or uses its `outcome`. A Condition has "
            "ended as soon as its branch is chosen; the branch's steps may still be running.",
            "No public documentation says how the service orders a step after a condition. Put "
            "the step into the branch, or let it wait for the steps that the condition looks at.",
            example("""
                pipeline: demo
                parameters: {Rows: 100}
                steps:
                  enough:
                    type: Condition
                    if: parameters.Rows < 1000
                    then:
                      stop: {type: Fail, message: too few rows}
                  after:
                    type: Fail
                    message: not yet
                    depends_on: [enough]
                """),
            example("""
                pipeline: demo
                parameters: {Rows: 100}
                steps:
                  enough:
                    type: Condition
                    if: parameters.Rows < 1000
                    then:
                      stop: {type: Fail, message: too few rows}
                    else:
                      after: {type: Fail, message: not yet}
                """),
            level="warning",
        ),
    ),
)

"""Codes about reading the file as YAML."""

from __future__ import annotations

from pipelines.language.pages import Group, Page, example

GROUP = Group(
    "Reading the file",
    (
        Page(
            "yaml-syntax",
            "The file is not YAML",
            "The text can't be read as YAML: a tab in the indentation, a quote or bracket that is "
            "never closed, a value with `: ` in it that is not quoted, a second document, or bytes "
            "that are not UTF-8.",
            "Nothing below the place can be understood, so only this message is shown.",
            example("""
                pipeline: demo
                steps:
                \tstop: {type: Fail, message: not yet}
                """),
            example("""
                pipeline: demo
                steps:
                  stop: {type: Fail, message: not yet}
                """),
        ),
        Page(
            "quote-it",
            "A template or reference needs quotes",
            "`{` begins a map in YAML. A value that begins with `{{` must be quoted, and so must "
            "`${…}` inside `[…]` or `{…}`.",
            "Without quotes YAML reads a map inside a map, which is never what was meant.",
            example("""
                pipeline: demo
                vars: {reason: not yet}
                steps:
                  stop:
                    type: Fail
                    message: {{ vars.reason }}
                """),
            example("""
                pipeline: demo
                vars: {reason: not yet}
                steps:
                  stop:
                    type: Fail
                    message: "{{ vars.reason }}"
                """),
        ),
        Page(
            "duplicate-key",
            "A key stands twice in the same map",
            "The same key is written twice at the same level. The hint names the line of the first "
            "one.",
            "YAML readers silently keep one of the two, and not all of them the same one: half of "
            "what was written would have no effect.",
            example("""
                pipeline: demo
                steps:
                  stop: {type: Fail, message: not yet}
                  stop: {type: Fail, message: no data}
                """),
            example("""
                pipeline: demo
                steps:
                  stop: {type: Fail, message: not yet}
                  stop-empty: {type: Fail, message: no data}
                """),
        ),
        Page(
            "yaml-merge",
            "The merge key `<<` is not part of the language",
            "`<<: *anchor` is an extension of YAML 1.1. Anchors and aliases themselves work: an "
            "alias stands for the whole value.",
            "What several steps share belongs in `defaults`, what several files share in a file "
            "that they extend. Both know which values may be merged, and messages can still point "
            "at the line where a value was written.",
            example("""
                pipeline: demo
                x-common: &common {max_depth: 6}
                steps:
                  train:
                    type: Training
                    image: {framework: xgboost, version: 1.7-1}
                    instance: ml.m5.xlarge
                    hyperparameters:
                      <<: *common
                      eta: 0.2
                """),
            example("""
                pipeline: demo
                defaults:
                  Training: {hyperparameters: {max_depth: 6}}
                steps:
                  train:
                    type: Training
                    image: {framework: xgboost, version: 1.7-1}
                    instance: ml.m5.xlarge
                    hyperparameters:
                      eta: 0.2
                """),
        ),
        Page(
            "yaml-alias",
            "An alias comes before its anchor",
            "`*name` repeats the value that `&name` marks. The anchor must stand earlier in the "
            "file, and not around the alias.",
            "There is nothing yet that the alias could stand for.",
            example("""
                pipeline: demo
                steps:
                  stop: {type: Fail, message: *reason}
                x-reason: &reason not yet
                """),
            example("""
                pipeline: demo
                x-reason: &reason not yet
                steps:
                  stop: {type: Fail, message: *reason}
                """),
        ),
        Page(
            "yaml-tag",
            "YAML tags are not part of the language",
            "A value carries a tag such as `!env` or `!!python/object`.",
            "Tags make a reader build other things than plain data. A value from outside comes in "
            "as a template: `{{ vars.NAME }}` with `--var NAME=VALUE`.",
            example("""
                pipeline: demo
                steps:
                  stop: {type: Fail, message: !env REASON}
                """),
            example("""
                pipeline: demo
                vars: {reason: not yet}
                steps:
                  stop: {type: Fail, message: "{{ vars.reason }}"}
                """),
        ),
        Page(
            "too-large",
            "The file or the definition JSON is larger than it may be",
            "A file has at most 1 MiB, 64 levels of nesting and 50,000 values with its aliases "
            "unfolded; at most 8 files extend each other in a row. The definition JSON that it "
            "becomes has at most 1,048,576 characters.",
            "The file's limits keep a hostile or broken one from using up the machine. That of "
            "the JSON is SageMaker's: it refuses a longer one. No real definition comes near them.",
            example("""
                pipeline: demo
                x-a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]
                x-b: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a, *a]
                x-c: &c [*b, *b, *b, *b, *b, *b, *b, *b, *b, *b]
                x-d: &d [*c, *c, *c, *c, *c, *c, *c, *c, *c, *c]
                x-e: [*d, *d, *d, *d, *d, *d]
                steps:
                  stop: {type: Fail, message: not yet}
                """),
            example("""
                pipeline: demo
                x-a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]
                steps:
                  stop: {type: Fail, message: not yet}
                """),
        ),
        Page(
            "empty",
            "There is nothing to run",
            "The file holds no definition, or its `steps` are empty.",
            "The service refuses a pipeline without steps.",
            example("""
                pipeline: demo
                steps: {}
                """),
            example("""
                pipeline: demo
                steps:
                  stop: {type: Fail, message: not yet}
                """),
        ),
    ),
)

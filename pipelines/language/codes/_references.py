"""Codes about references, ``${…}``, and the order that they give."""

from __future__ import annotations

from pipelines.language.pages import Group, Page, example

GROUP = Group(
    "References and order",
    (
        Page(
            "reference-syntax",
            "A reference can't be read",
            "A reference is written `${parameters.Name}` or `${steps.NAME.model}`: words joined by "
            "dots, list items as `[0]`, and any other name as `['any name']`. A literal `${` is "
            "written `$${`. A warning tells of `$parameters.Name` and `$(parameters.Name)`, which "
            "stay plain text.",
            "The text would reach the container as it stands.",
            example("""
                pipeline: demo
                parameters: {Rows: 100}
                steps:
                  stop: {type: Fail, message: "only ${parameters.Rows rows"}
                """),
            example("""
                pipeline: demo
                parameters: {Rows: 100}
                steps:
                  stop: {type: Fail, message: "only ${parameters.Rows} rows"}
                """),
        ),
        Page(
            "odd-quotes",
            "Quotes are part of a text",
            "The text begins and ends with typographic quotes, as word processors and chats make "
            "them. YAML knows the quotes `\"` and `'` only.",
            "The quotes would be part of the value: a name or an address with them fits nothing.",
            example("""
                pipeline: demo
                steps:
                  stop: {type: Fail, message: “the model is not good enough”}
                """),
            example("""
                pipeline: demo
                steps:
                  stop: {type: Fail, message: "the model is not good enough"}
                """),
            level="warning",
        ),
        Page(
            "unknown-reference",
            "A reference leads to nothing",
            "There is no such parameter, step, output, file or property. The message points at the "
            "part that is wrong and gives the nearest name. `sagedag explain KIND` lists what a "
            "step of a kind offers.",
            "The service finds it only when the execution gets there, perhaps after hours of "
            "training.",
            example("""
                pipeline: demo
                parameters: {Rows: 100}
                steps:
                  stop: {type: Fail, message: "only ${parameters.Row} rows"}
                """),
            example("""
                pipeline: demo
                parameters: {Rows: 100}
                steps:
                  stop: {type: Fail, message: "only ${parameters.Rows} rows"}
                """),
        ),
        Page(
            "wrong-reference",
            "A reference gives another thing than is wanted here",
            "The field wants an S3 URI and the reference gives a model's name, or the field wants "
            "a number and the reference gives text, and so on. Numbers are turned into text where "
            "text is wanted; nothing else is converted.",
            "The service would refuse the job, or read a name as a path.",
            example("""
                pipeline: demo
                steps:
                  create:
                    type: CreateModel
                    model: s3://bucket/model.tar.gz
                    image: {framework: xgboost, version: 1.7-1}
                  register:
                    type: RegisterModel
                    group: demo
                    model: "${steps.create.model}"
                    image: {framework: xgboost, version: 1.7-1}
                """),
            example("""
                pipeline: demo
                steps:
                  create:
                    type: CreateModel
                    model: s3://bucket/model.tar.gz
                    image: {framework: xgboost, version: 1.7-1}
                  register:
                    type: RegisterModel
                    group: demo
                    model: s3://bucket/model.tar.gz
                    image: {framework: xgboost, version: 1.7-1}
                """),
        ),
        Page(
            "out-of-branch",
            "A reference leads into a branch from outside",
            "A step in the `then` or `else` of a condition can be referred to by steps of the same "
            "branch only. A step can't refer to itself either, nor to the condition around it.",
            "If the other branch is taken, the step never runs and there is no value.",
            example("""
                pipeline: demo
                parameters: {Fast: true}
                steps:
                  fast:
                    type: Condition
                    if: parameters.Fast
                    then:
                      train:
                        type: Training
                        image: {framework: xgboost, version: 1.7-1}
                        instance: ml.m5.xlarge
                  create:
                    type: CreateModel
                    model: "${steps.train.model}"
                """),
            example("""
                pipeline: demo
                parameters: {Fast: true}
                steps:
                  fast:
                    type: Condition
                    if: parameters.Fast
                    then:
                      train:
                        type: Training
                        image: {framework: xgboost, version: 1.7-1}
                        instance: ml.m5.xlarge
                      create:
                        type: CreateModel
                        model: "${steps.train.model}"
                """),
        ),
        Page(
            "unknown-step",
            "There is no such step to wait for",
            "`depends_on` names a step that does not exist or that stands in another branch, or a "
            "glob such as `train-*` matches no step. The same holds for `each` in a fan-in.",
            "The order that was wanted would silently not hold.",
            example("""
                pipeline: demo
                steps:
                  train:
                    type: Training
                    image: {framework: xgboost, version: 1.7-1}
                    instance: ml.m5.xlarge
                  stop: {type: Fail, message: not yet, depends_on: [trian]}
                """),
            example("""
                pipeline: demo
                steps:
                  train:
                    type: Training
                    image: {framework: xgboost, version: 1.7-1}
                    instance: ml.m5.xlarge
                  stop: {type: Fail, message: not yet, depends_on: [train]}
                """),
        ),
        Page(
            "cycle",
            "Steps wait for each other in a circle",
            "Each step in the message waits for the next one, by a reference or by `depends_on`, "
            "and the last one for the first.",
            "None of them could ever start.",
            example("""
                pipeline: demo
                steps:
                  first: {type: Fail, message: first, depends_on: [second]}
                  second: {type: Fail, message: second, depends_on: [first]}
                """),
            example("""
                pipeline: demo
                steps:
                  first: {type: Fail, message: first}
                  second: {type: Fail, message: second, depends_on: [first]}
                """),
        ),
        Page(
            "reads-failed-step",
            "A step reads the values of a step whose failure it waits for",
            "`depends_on: {step: X, when: failed}` (or `stopped`, or `any`) starts a step although "
            "X did not complete, and the step refers to a value of X.",
            "What a step that did not complete answers is documented nowhere.",
            example("""
                pipeline: demo
                steps:
                  train:
                    type: Training
                    image: {framework: xgboost, version: 1.7-1}
                    instance: ml.m5.xlarge
                  give-up:
                    type: Fail
                    message: "no model at ${steps.train.model}"
                    depends_on: [{step: train, when: failed}]
                """),
            example("""
                pipeline: demo
                steps:
                  train:
                    type: Training
                    image: {framework: xgboost, version: 1.7-1}
                    instance: ml.m5.xlarge
                  give-up:
                    type: Fail
                    message: training failed
                    depends_on: [{step: train, when: failed}]
                """),
        ),
    ),
)

"""Codes about keys and values."""

from __future__ import annotations

from pipelines.language.pages import Group, Page, example

GROUP = Group(
    "Keys and values",
    (
        Page(
            "unknown-key",
            "A key does not exist",
            "The key is not one of those that can stand here; the hint gives the nearest one. The "
            "API's own field names go under `request`, keys of your own on top of the file begin "
            "with `x-`.",
            "A misspelt key that is skipped silently leaves its setting at the default.",
            example("""
                pipeline: demo
                steps:
                  train:
                    type: Training
                    image: {framework: xgboost, version: 1.7-1}
                    instance: ml.m5.xlarge
                    hyper_parameters: {max_depth: 6}
                """),
            example("""
                pipeline: demo
                steps:
                  train:
                    type: Training
                    image: {framework: xgboost, version: 1.7-1}
                    instance: ml.m5.xlarge
                    hyperparameters: {max_depth: 6}
                """),
        ),
        Page(
            "missing-key",
            "A key is missing",
            "The step, block or file lacks a key that it must have, after everything that it "
            "inherits (`extends`, `defaults`, the environment) has been merged in.",
            "The service requires the value, and there is no sensible default.",
            example("""
                pipeline: demo
                steps:
                  train:
                    type: Training
                    image: {framework: xgboost, version: 1.7-1}
                    inputs: {train: s3://bucket/train}
                """),
            example("""
                pipeline: demo
                steps:
                  train:
                    type: Training
                    image: {framework: xgboost, version: 1.7-1}
                    instance: ml.m5.xlarge
                    inputs: {train: s3://bucket/train}
                """),
        ),
        Page(
            "wrong-type",
            "A value has the wrong type",
            "A list stands where a map is wanted, a text where a number is wanted, and so on. Text "
            "in quotes is text, even if it looks like a number. Words such as `yes`, `no` and `on` "
            "are text, too: this is YAML 1.2.",
            "The API has a type for every field and converts nothing.",
            example("""
                pipeline: demo
                parallelism: many
                steps:
                  stop: {type: Fail, message: not yet}
                """),
            example("""
                pipeline: demo
                parallelism: 4
                steps:
                  stop: {type: Fail, message: not yet}
                """),
        ),
        Page(
            "bad-value",
            "A value is not allowed",
            "The value has the right type but is not one of the allowed words, lies outside the "
            "allowed range, or does not have the form that the API wants.",
            "The service refuses it, most of the time only when the step starts.",
            example("""
                pipeline: demo
                steps:
                  register:
                    type: RegisterModel
                    group: demo
                    model: s3://bucket/model.tar.gz
                    image: {framework: xgboost, version: 1.7-1}
                    approval: Aproved
                """),
            example("""
                pipeline: demo
                steps:
                  register:
                    type: RegisterModel
                    group: demo
                    model: s3://bucket/model.tar.gz
                    image: {framework: xgboost, version: 1.7-1}
                    approval: Approved
                """),
        ),
        Page(
            "bad-name",
            "A name holds characters that names can't have",
            "Steps have names of letters, digits, `-` and `_`, at most 64 characters, beginning "
            "with a letter or digit. The pipeline's name has letters, digits and single hyphens "
            "between them, at most 256. Parameters, channels and environment variables have rules "
            "of their own, which the message gives.",
            "The service refuses the name. In a matrix, the filter `slug` makes a value fit: "
            "`train-{{ matrix.rate | slug }}`.",
            example("""
                pipeline: demo
                steps:
                  stop now: {type: Fail, message: not yet}
                """),
            example("""
                pipeline: demo
                steps:
                  stop-now: {type: Fail, message: not yet}
                """),
        ),
        Page(
            "too-many",
            "There are more entries than the service takes",
            "A list or map is longer than the API allows (200 parameters, 16 values in an enum, 50 "
            "tags, 10 inputs of a Processing job, 20 channels of a Training job, …), or a matrix "
            "makes more than 1,000 steps.",
            "The service refuses the whole pipeline or the job.",
            example("""
                pipeline: demo
                parameters:
                  Site: {default: a, enum: [a, b, c, d, e, f, g, h, i, j, k, l, m, o, p, q, r]}
                steps:
                  stop: {type: Fail, message: not yet}
                """),
            example("""
                pipeline: demo
                parameters:
                  Site: {default: a, enum: [a, b, c, d, e, f, g, h]}
                steps:
                  stop: {type: Fail, message: not yet}
                """),
        ),
        Page(
            "too-long",
            "A text is longer than the service takes",
            "The text has more characters than the API allows for this field. The message gives "
            "the limit.",
            "The service refuses the request.",
            example("""
                pipeline: demo
                steps:
                  create:
                    type: CreateModel
                    name: pulsar-candidates-random-forest-with-ten-trees-trained-on-the-whole-survey
                    model: s3://bucket/model.tar.gz
                    image: {framework: xgboost, version: 1.7-1}
                """),
            example("""
                pipeline: demo
                steps:
                  create:
                    type: CreateModel
                    name: pulsar-random-forest
                    model: s3://bucket/model.tar.gz
                    image: {framework: xgboost, version: 1.7-1}
                """),
        ),
        Page(
            "bad-duration",
            "A text is not a duration",
            "Durations are written `2h`, `90m`, `1d12h`, `30d`, or in ISO 8601 as `PT2H`. A number "
            "alone has no unit, and months and years have no fixed length.",
            "Some API fields count seconds, some minutes; a bare number would mean something else "
            "in each of them.",
            example("""
                pipeline: demo
                steps:
                  train:
                    type: Training
                    image: {framework: xgboost, version: 1.7-1}
                    instance: ml.m5.xlarge
                    max_runtime: 2 hours
                """),
            example("""
                pipeline: demo
                steps:
                  train:
                    type: Training
                    image: {framework: xgboost, version: 1.7-1}
                    instance: ml.m5.xlarge
                    max_runtime: 2h
                """),
        ),
        Page(
            "bad-instance",
            "A text is not an instance type of SageMaker",
            "Instance types are written `ml.FAMILY.SIZE`, such as `ml.m5.large`. EC2's own names "
            "lack the `ml.`.",
            "The service refuses the job when the step starts.",
            example("""
                pipeline: demo
                steps:
                  train:
                    type: Training
                    image: {framework: xgboost, version: 1.7-1}
                    instance: m5.xlarge
                """),
            example("""
                pipeline: demo
                steps:
                  train:
                    type: Training
                    image: {framework: xgboost, version: 1.7-1}
                    instance: ml.m5.xlarge
                """),
        ),
        Page(
            "bad-default",
            "A parameter's default does not fit the parameter",
            "The default has another type than the parameter, or is not in its `enum`. Where no "
            "type is written, it is that of the default.",
            "The service refuses the definition.",
            example("""
                pipeline: demo
                parameters:
                  Rows: {type: Integer, default: many}
                steps:
                  stop: {type: Fail, message: "${parameters.Rows} rows"}
                """),
            example("""
                pipeline: demo
                parameters:
                  Rows: {type: Integer, default: 1000}
                steps:
                  stop: {type: Fail, message: "${parameters.Rows} rows"}
                """),
        ),
        Page(
            "enum-not-text",
            "A parameter that is no String has an enum",
            "`enum` lists the only values that a parameter takes. The service knows such lists for "
            "parameters of the type String only.",
            "The service refuses the definition. A Condition step can check a number.",
            example("""
                pipeline: demo
                parameters:
                  Depth: {type: Integer, default: 4, enum: [4, 8]}
                steps:
                  stop: {type: Fail, message: "a depth of ${parameters.Depth}"}
                """),
            example("""
                pipeline: demo
                parameters:
                  Depth: {type: String, default: "4", enum: ["4", "8"]}
                steps:
                  stop: {type: Fail, message: "a depth of ${parameters.Depth}"}
                """),
        ),
        Page(
            "literal-wanted",
            "A reference stands where the value must be known",
            "The value is needed when the definition is compiled: a name, a duration, a path, the "
            "default of a parameter. A reference `${…}` is known only when the pipeline runs. A "
            "template `{{ … }}` is known in time.",
            "The service takes no expression there.",
            example("""
                pipeline: demo
                parameters: {Age: 30d}
                steps:
                  train:
                    type: Training
                    image: {framework: xgboost, version: 1.7-1}
                    instance: ml.m5.xlarge
                    cache: "${parameters.Age}"
                """),
            example("""
                pipeline: demo
                vars: {age: 30d}
                steps:
                  train:
                    type: Training
                    image: {framework: xgboost, version: 1.7-1}
                    instance: ml.m5.xlarge
                    cache: "{{ vars.age }}"
                """),
        ),
    ),
)

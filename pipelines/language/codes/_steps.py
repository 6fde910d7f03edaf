"""Codes about steps and how their fields go together."""

from __future__ import annotations

from pipelines.language.pages import Group, Page, example

GROUP = Group(
    "Steps",
    (
        Page(
            "unknown-kind",
            "There is no such step kind",
            "The `type` of a step is not one of the kinds that `sagedag explain` lists.",
            "The kind decides which fields the step has and which API call it makes.",
            example("""
                pipeline: demo
                steps:
                  stop: {type: Failure, message: not yet}
                """),
            example("""
                pipeline: demo
                steps:
                  stop: {type: Fail, message: not yet}
                """),
        ),
        Page(
            "duplicate-step",
            "Two steps have the same name",
            "A step's name must be unique in the whole pipeline, branches included. A step with a "
            "`matrix` needs the matrix's values in its key, or all its copies have one name.",
            "Names are how references, logs and the service tell steps apart.",
            example("""
                pipeline: demo
                steps:
                  train:
                    type: Training
                    matrix: {depth: [4, 8]}
                    image: {framework: xgboost, version: 1.7-1}
                    instance: ml.m5.xlarge
                    hyperparameters: {max_depth: "{{ matrix.depth }}"}
                """),
            example("""
                pipeline: demo
                steps:
                  train-{{ matrix.depth }}:
                    type: Training
                    matrix: {depth: [4, 8]}
                    image: {framework: xgboost, version: 1.7-1}
                    instance: ml.m5.xlarge
                    hyperparameters: {max_depth: "{{ matrix.depth }}"}
                """),
        ),
        Page(
            "either-or",
            "Two keys exclude each other",
            "Each of the keys says the same thing in another way, so only one of them can stand.",
            "It would not be clear which one holds.",
            example("""
                pipeline: demo
                steps:
                  create:
                    type: CreateModel
                    model_package: arn:aws:sagemaker:us-east-1:111122223333:model-package/demo/1
                    model: s3://bucket/model.tar.gz
                """),
            example("""
                pipeline: demo
                steps:
                  create:
                    type: CreateModel
                    model_package: arn:aws:sagemaker:us-east-1:111122223333:model-package/demo/1
                """),
        ),
        Page(
            "needs-another",
            "A key needs another one beside it",
            "The key changes how another one is used, and that one is missing.",
            "Alone it would have no effect, or the service would refuse the job.",
            example("""
                pipeline: demo
                steps:
                  train:
                    type: Training
                    image: 111122223333.dkr.ecr.us-east-1.amazonaws.com/team/train:1.2
                    instance: ml.m5.xlarge
                    arguments: {seed: 7}
                """),
            example("""
                pipeline: demo
                steps:
                  train:
                    type: Training
                    image: 111122223333.dkr.ecr.us-east-1.amazonaws.com/team/train:1.2
                    instance: ml.m5.xlarge
                    command: [python3, -m, train]
                    arguments: {seed: 7}
                """),
        ),
        Page(
            "needs-one-of",
            "Exactly one of several keys must stand",
            "There are several ways to say where something comes from, and the block has none of "
            "them or more than one.",
            "Without one there are no data; with two it is not clear which are meant.",
            example("""
                pipeline: demo
                steps:
                  train:
                    type: Training
                    image: {framework: xgboost, version: 1.7-1}
                    instance: ml.m5.xlarge
                    inputs: {train: {content_type: text/csv}}
                """),
            example("""
                pipeline: demo
                steps:
                  train:
                    type: Training
                    image: {framework: xgboost, version: 1.7-1}
                    instance: ml.m5.xlarge
                    inputs: {train: {source: s3://bucket/train, content_type: text/csv}}
                """),
        ),
        Page(
            "path-collision",
            "Two things take the same place in the container",
            "Two inputs or outputs have the same `path`, or one has that of the step's code. By "
            "default an input or output `NAME` lies at `/opt/ml/processing/NAME`, so an input and "
            "an output of the same name collide.",
            "One would hide the other's files.",
            example("""
                pipeline: demo
                steps:
                  clean:
                    type: Processing
                    image: 111122223333.dkr.ecr.us-east-1.amazonaws.com/team/clean:1.2
                    instance: ml.m5.large
                    inputs: {data: s3://bucket/data}
                    outputs: [data]
                """),
            example("""
                pipeline: demo
                steps:
                  clean:
                    type: Processing
                    image: 111122223333.dkr.ecr.us-east-1.amazonaws.com/team/clean:1.2
                    instance: ml.m5.large
                    inputs: {data: s3://bucket/data}
                    outputs: [clean]
                """),
        ),
        Page(
            "unknown-output",
            "A property file names an output that does not exist",
            "`files` gives JSON files in the step's outputs, each as `OUTPUT/PATH`. What is before "
            "the first slash must be one of the step's `outputs`.",
            "The service looks for the file in that output.",
            example("""
                pipeline: demo
                steps:
                  evaluate:
                    type: Processing
                    image: 111122223333.dkr.ecr.us-east-1.amazonaws.com/team/evaluate:1.2
                    instance: ml.m5.large
                    outputs: [report]
                    files: {metrics: reports/metrics.json}
                """),
            example("""
                pipeline: demo
                steps:
                  evaluate:
                    type: Processing
                    image: 111122223333.dkr.ecr.us-east-1.amazonaws.com/team/evaluate:1.2
                    instance: ml.m5.large
                    outputs: [report]
                    files: {metrics: report/metrics.json}
                """),
        ),
        Page(
            "bad-retry",
            "The service does not retry this kind for this reason",
            "Job steps are retried on `throttling`, `service_fault`, `capacity`, `resource_limit` "
            "and `job_internal`; steps that start no job on `throttling` and `service_fault` only.",
            "The service refuses the policy.",
            example("""
                pipeline: demo
                steps:
                  create:
                    type: CreateModel
                    model: s3://bucket/model.tar.gz
                    image: {framework: xgboost, version: 1.7-1}
                    retry: {on: [capacity], attempts: 3}
                """),
            example("""
                pipeline: demo
                steps:
                  create:
                    type: CreateModel
                    model: s3://bucket/model.tar.gz
                    image: {framework: xgboost, version: 1.7-1}
                    retry: {on: [throttling], attempts: 3}
                """),
        ),
        Page(
            "code-not-served",
            "The serving image would not find the code",
            "The scikit-learn and XGBoost serving images fetch the code named by `code`. Those of "
            "PyTorch, TensorFlow, HuggingFace and MXNet look for it inside the model's archive "
            "only: a step `KEY-repack` puts it there, unless `repack: false` forbids it. The "
            "images of built-in algorithms take no code at all.",
            "The model would start with the image's default code, or not at all. Without a repack "
            "step the training script can save the code into the archive itself, below "
            "`$SM_MODEL_DIR/code/`; then leave `code` out.",
            example(
                """
                pipeline: demo
                steps:
                  create:
                    type: CreateModel
                    model: s3://bucket/model.tar.gz
                    image: {framework: pytorch, version: 2.1.0, py_version: py310}
                    code: inference.py
                    repack: false
                """,
                {"inference.py": "def model_fn(folder):\n    return folder\n"},
            ),
            example(
                """
                pipeline: demo
                steps:
                  create:
                    type: CreateModel
                    model: s3://bucket/model.tar.gz
                    image: {framework: pytorch, version: 2.1.0, py_version: py310}
                    code: inference.py
                """,
                {"inference.py": "def model_fn(folder):\n    return folder\n"},
            ),
        ),
    ),
)

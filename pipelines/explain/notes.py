"""What the pages of top-level keys say beyond the schema."""

from __future__ import annotations

TOP_NOTES: dict[str, str] = {
    "parameters": "A parameter is chosen when an execution starts: `sagedag run … -p NAME=VALUE`. "
    "The short form gives the default, and its type is inferred; a parameter without a default is "
    "required at the start. `${parameters.NAME}` is its value.\n\n"
    "What is known before, such as a number of trees or a bucket, is better a value under `vars` "
    "or of the environment, and a template.",
    "vars": "Values for templates, known when the definition is compiled: `{{ vars.trees }}`. "
    "`--var trees=20` on the command line overrides them. A value may use the ones above it.",
    "defaults": "Fields that steps share. A field on this level holds for every step whose kind "
    "has it; a field under a kind's name (`Training: {max_runtime: 2h}`) holds for the steps of "
    "that kind, and must be a field of it. What a step says itself comes first. Maps are merged; "
    "`image`, `code`, `cache` and `retry` are replaced as a whole.",
    "steps": "The steps by name, in the order in which the definition JSON lists them. The order "
    "in which they run follows from their references: a step that uses a value of another waits "
    "for it; `depends_on` adds what references do not say. Every step has a `type`; "
    "`sagedag explain` lists the kinds.",
    "extends": "The other file is the lower layer: maps merge, lists and single values replace, "
    "null deletes. Paths in it are relative to it. A file that is only extended needs no "
    "`pipeline`. `sagedag explain merging` shows the whole order.",
    "environments": "What differs in one environment: any top-level key but `pipeline`, `extends` "
    "and `environments`, laid over this file. The environments themselves (account, region, role, "
    "bucket, prefix) stand in `environments.yaml`; `--env NAME` or `SAGEDAG_ENV` chooses one, "
    "`local` otherwise.",
    "schedules": "Each entry has exactly one of `cron`, `rate` and `at`. `enabled: false` keeps a "
    "schedule, switched off.",
    "experiment": "SageMaker Experiments groups the jobs of an execution under this name; `false` "
    "turns that off.",
    "role": "The environment's role, from `environments.yaml`, is used where this is left out. A "
    "step can have a `role` of its own.",
    "parallelism": "Steps that wait for nothing run at the same time. Without a limit, the "
    "service's own quota holds.",
    "pipeline_fields": "The way to everything of CreatePipeline that the short keys do not say.",
}

ENVIRONMENTS_EXAMPLE = """\
environments:
  local: {}
  dev:
    account: "111122223333"
    region: us-east-1
    role: "arn:aws:iam::{{ account }}:role/pipelines"
    bucket: dev-bucket
    prefix: pipelines
"""

KIND_NOTES: dict[str, str] = {
    "Processing": "The job starts `instance.count` machines with the container `image`, brings the "
    "`inputs` in, runs the code and takes the `outputs` away. An input or output `NAME` lies at "
    "`/opt/ml/processing/NAME`, unless its `path` says otherwise.\n\n"
    "The file that `code` names is run with `python3` (`.sh` and `.R` files by their own "
    "interpreters) and gets `arguments` as its command line; `command` takes the interpreter's "
    "place. A `requirements.txt` in the code's folder is installed first. An image of your own "
    "with an entry point needs no `code`.\n\n"
    "A JSON file that the job leaves in an output can be read by references and conditions: "
    "`files: {metrics: report/metrics.json}` makes the file `metrics.json` of the output `report` "
    "known as `metrics`.",
    "Training": "With `code` and a framework's image the script runs in SageMaker's script mode: "
    "it gets `hyperparameters` as command-line options, finds each channel of `inputs` at "
    "`/opt/ml/input/data/CHANNEL` (also in the variable `SM_CHANNEL_CHANNEL`), and saves the model "
    "to `/opt/ml/model` (`SM_MODEL_DIR`). What it leaves there is packed as `model.tar.gz`, and "
    "`${steps.NAME.model}` is its S3 URI.\n\n"
    "A built-in algorithm such as `xgboost` needs no code. With `command` the container runs that "
    "command instead; the code's folder then comes in as the channel `code`.",
    "Condition": "The steps in `then` run where the expression `if` holds, those in `else` where "
    "it does not. The steps of a branch can be referred to from the same branch only. "
    "`sagedag explain conditions` describes the expression.",
    "RegisterModel": "Every execution adds a version to the model package group `group`. `model` "
    "is the archive, usually that of a Training step, whose image is taken unless `image` says "
    "otherwise; several containers in a row go under `containers`. `code` is the serving script; "
    "images of frameworks other than scikit-learn and XGBoost want it inside the archive.\n\n"
    "`metrics` ties the version to the reports of its evaluation, for example "
    '`{model_quality: {statistics: "${steps.evaluate.outputs.report}/metrics.json"}}`. With '
    "`approval: PendingManualApproval` somebody has to approve it before it is used.",
    "CreateModel": "A model is an image and an archive that endpoints and transform jobs can use; "
    "it serves nothing yet. `model` is the archive, usually that of a Training step, whose image "
    "is taken unless `image` says otherwise. Several containers go under `containers`; a "
    "registered version is given by `model_package` instead.",
    "Fail": "The execution ends as failed, and `message` is its failure reason. References in the "
    "message say why. The step has no further effect; it usually stands in a branch of a "
    "Condition.",
}
"""What the page of a step kind says beyond its fields."""

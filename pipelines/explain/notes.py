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
    "that kind, and must be a field of it. What a step says itself comes first. Maps are "
    "merged, but for a few fields such as `image` (`sagedag explain merging`).",
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

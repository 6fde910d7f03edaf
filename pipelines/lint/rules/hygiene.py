"""Rules about what is written and not used, and about care."""

from __future__ import annotations

from collections.abc import Iterator

from pipelines.language.pages import Page
from pipelines.lint.model import Finding, Part, Rule, Subject, found_elsewhere
from pipelines.lint.rules._examples import cloud, steps
from pipelines.lint.rules.trust import images
from steps._expressions import ParameterRef, PropertyRef, expressions_in


def _unused_parameter(subject: Subject) -> Iterator[Finding]:
    spec = subject.spec
    beside = (spec.experiment, spec.mlflow, spec.request)
    used = {each.name for _, each in subject.references if isinstance(each, ParameterRef)}
    used |= {each.name for each in expressions_in(beside) if isinstance(each, ParameterRef)}
    for parameter in spec.parameters:
        if parameter.name not in used:
            yield Finding(
                ("parameters", parameter.name),
                f"no step reads the parameter `{parameter.name}`",
                f"read it as `${{parameters.{parameter.name}}}`, or leave it out",
                at_key=True,
            )


UNUSED_PARAMETER = Rule(
    Page(
        "unused-parameter",
        "A parameter is never read",
        "No step, condition or experiment setting reads the parameter.",
        "Whoever starts the pipeline with a value for it expects that it changes something.",
        steps("stop: {type: Fail, message: not yet}", "parameters: {Depth: 6}", aws=False),
        steps(
            'stop: {type: Fail, message: "not yet: ${parameters.Depth}"}',
            "parameters: {Depth: 6}",
            aws=False,
        ),
        level="warning",
    ),
    "hygiene",
    _unused_parameter,
)


def _unread(subject: Subject, part: Part) -> list[str]:
    """Return the outputs of a Processing step at default places that nobody reads."""
    read: set[str] = set()
    for _, each in subject.references:
        if isinstance(each, PropertyRef) and each.step == part.name:
            if "Outputs" not in each.path:
                return []  # the whole response may hold them all
            read.add(str(each.path[each.path.index("Outputs") + 1]))
    read.update(file.output for file in part.request.property_files)
    outputs = part.spec.step.fields.get("outputs") or {}
    return [
        name
        for name, value in outputs.items()
        if name not in read and not {"destination", "feature_group"} & set(value or ())
    ]


def _is_unused(subject: Subject, part: Part) -> bool:
    """Say whether nothing waits for a step, reads it, or keeps what it writes."""
    outputs = part.spec.step.fields.get("outputs") or {}
    awaited = any(part.name in waits for waits in subject.waits.values())
    return bool(outputs) and not awaited and len(_unread(subject, part)) == len(outputs)


def _processing(subject: Subject) -> Iterator[Part]:
    return (part for part in subject.parts if part.kind == "Processing")


def _unused_output(subject: Subject) -> Iterator[Finding]:
    for part in _processing(subject):
        if _is_unused(subject, part):
            continue
        for name in _unread(subject, part):
            yield Finding(
                (*part.spec.path, "outputs", name),
                f"no step reads the output `{name}`",
                "give it a `destination` if people read it, or leave it out",
                at_key=True,
            )


UNUSED_OUTPUT = Rule(
    Page(
        "unused-output",
        "An output is never read",
        "No step reads an output of a Processing step, and it has no destination of its own.",
        "It is stored under the execution's id, where nobody looks for it. A `destination` says "
        "that people or other systems read it.",
        steps("""
            split: {type: Processing, image: {framework: sklearn, version: 1.4-2},
                    instance: ml.m5.large, command: [split], outputs: [train, rest]}
            train: {type: Training, image: {framework: xgboost, version: 1.7-1},
                    instance: ml.m5.xlarge, inputs: {train: "${steps.split.outputs.train}"}}
            """),
        steps("""
            split: {type: Processing, image: {framework: sklearn, version: 1.4-2},
                    instance: ml.m5.large, command: [split], outputs: [train]}
            train: {type: Training, image: {framework: xgboost, version: 1.7-1},
                    instance: ml.m5.xlarge, inputs: {train: "${steps.split.outputs.train}"}}
            """),
        level="info",
    ),
    "hygiene",
    _unused_output,
)


def _unused_step(subject: Subject) -> Iterator[Finding]:
    for part in _processing(subject):
        if _is_unused(subject, part):
            yield Finding(
                part.spec.path,
                f"no step reads what `{part.name}` writes, or waits for it",
                "give its outputs a `destination` if people read them, or leave the step out",
                at_key=True,
            )


UNUSED_STEP = Rule(
    Page(
        "unused-step",
        "A step's work is never used",
        "A Processing step writes outputs to their default places alone; no step reads one or "
        "waits for the step.",
        "It is paid for in every execution, and its results lie under the execution's id, where "
        "nobody looks for them.",
        steps("""
            report: {type: Processing, image: {framework: sklearn, version: 1.4-2},
                     instance: ml.m5.large, command: [report], outputs: [page]}
            """),
        steps("""
            report:
              type: Processing
              image: {framework: sklearn, version: 1.4-2}
              instance: ml.m5.large
              command: [report]
              outputs: {page: "s3://{{ bucket }}/reports/"}
            """),
        level="info",
    ),
    "hygiene",
    _unused_step,
)


def _unpinned_image(subject: Subject) -> Iterator[Finding]:
    for part in subject.parts:
        for path, value in images(part):
            image = subject.known(value)
            if not isinstance(image, str) or "/" not in image or "@sha256:" in image:
                continue
            tag = image.rsplit("/", 1)[-1].partition(":")[2]
            if tag in ("", "latest"):
                yield Finding(
                    part.place(path),
                    "the image is `latest`" if tag else "the image has no tag and means `latest`",
                    "name a tag that never moves, or a digest: `…@sha256:…`",
                )


UNPINNED_IMAGE = Rule(
    Page(
        "unpinned-image",
        "An image is `latest`",
        "An image's URI ends in `:latest`, or has neither tag nor digest.",
        "The next execution may run something else though nothing in the definition changed, and "
        "a cached step would not notice. A failed deployment can't be undone by the old "
        "definition.",
        steps("""
            train: {type: Training, instance: ml.m5.xlarge,
                    image: "{{ account }}.dkr.ecr.{{ region }}.amazonaws.com/trainer:latest"}
            """),
        steps("""
            train: {type: Training, instance: ml.m5.xlarge,
                    image: "{{ account }}.dkr.ecr.{{ region }}.amazonaws.com/trainer:2.1"}
            """),
        level="warning",
    ),
    "hygiene",
    _unpinned_image,
)


def _missing_tags(subject: Subject) -> Iterator[Finding]:
    tags = set(subject.spec.tags)
    tags.update(str(t.get("Key")) for t in subject.spec.request.get("Tags", ()) if "Key" in t)
    wanted = [name for name in subject.limits.required_tags if name not in tags]
    at = ("tags",) if subject.spec.tags else ("pipeline",)
    for name in wanted:
        yield Finding(at, f"the pipeline has no tag `{name}`", "write it under `tags`", at_key=True)
    if not tags and not wanted:
        hint = "write `tags:` here or for the environment in environments.yaml"
        yield Finding(at, "the pipeline has no tags", hint, at_key=True)


MISSING_TAGS = Rule(
    Page(
        "missing-tags",
        "The pipeline lacks tags",
        "The pipeline has no tags at all, or lacks one of `required-tags` under "
        "`[tool.sagedag.lint]` in pyproject.toml.",
        "Bills are divided, and access is given, by tags.",
        steps("stop: {type: Fail, message: not yet}"),
        steps("stop: {type: Fail, message: not yet}", "tags: {team: astro}"),
        level="info",
    ),
    "hygiene",
    _missing_tags,
    cloud=True,
)

GATES = ("Condition", "QualityCheck", "ClarifyCheck", "Callback")
"""Types of steps that can keep a model from being registered: they decide, compare or ask."""


def _approved_without_gate(subject: Subject) -> Iterator[Finding]:
    for part in subject.parts:
        if part.request.type != "RegisterModel":
            continue
        status = subject.known(part.value(("ModelApprovalStatus",)))
        before = subject.upstream(part.name)
        gated = any(subject.by_name[name].request.type in GATES for name in before)
        if status == "Approved" and not gated:
            yield Finding(
                part.place(("ModelApprovalStatus",)),
                "the model is approved, and nothing before it can say no",
                "register it below a Condition, or with `approval: PendingManualApproval`",
            )


APPROVED_WITHOUT_GATE = Rule(
    Page(
        "approved-without-gate",
        "A model is approved without a test",
        "A RegisterModel step registers its model as `Approved`, and no step before it can keep "
        "it from that: a Condition, a check, or a Callback that asks somebody.",
        "What deploys approved models takes every model that a training job happens to make.",
        steps("""
            train: {type: Training, image: {framework: xgboost, version: 1.7-1},
                    instance: ml.m5.xlarge}
            register: {type: RegisterModel, model: "${steps.train.model}", group: demo,
                       approval: Approved}
            """),
        steps("""
            train: {type: Training, image: {framework: xgboost, version: 1.7-1},
                    instance: ml.m5.xlarge}
            good-enough:
              type: Condition
              if: steps.train.properties.FinalMetricDataList['auc'].Value >= 0.9
              then:
                register: {type: RegisterModel, model: "${steps.train.model}", group: demo,
                           approval: Approved}
            """),
        level="warning",
    ),
    "hygiene",
    _approved_without_gate,
)

UNUSED_IGNORE = Rule(
    Page(
        "unused-ignore",
        "An ignore comment ignores nothing",
        "A comment `# sagedag: ignore[CODE]` stands where no such finding is, or names a code "
        "that no rule has.",
        "It hides the next such finding at this line from everybody.",
        cloud("""
            pipeline: demo
            tags: {team: astro}  # sagedag: ignore[missing-tags] the account has tags
            steps:
              stop: {type: Fail, message: not yet}
            """),
        cloud("""
            pipeline: demo
            tags: {team: astro}
            steps:
              stop: {type: Fail, message: not yet}
            """),
        level="warning",
    ),
    "hygiene",
    found_elsewhere,
)

UNEXPLAINED_IGNORE = Rule(
    Page(
        "unexplained-ignore",
        "An ignore comment gives no reason",
        "Behind `# sagedag: ignore[CODE]` stands nothing.",
        "Whoever comes next can't tell whether it still holds.",
        cloud("""
            pipeline: demo  # sagedag: ignore[missing-tags]
            steps:
              stop: {type: Fail, message: not yet}
            """),
        cloud("""
            pipeline: demo  # sagedag: ignore[missing-tags] a demo that is deleted at night
            steps:
              stop: {type: Fail, message: not yet}
            """),
        level="warning",
    ),
    "hygiene",
    found_elsewhere,
)

RULES = (
    UNUSED_PARAMETER,
    UNUSED_OUTPUT,
    UNUSED_STEP,
    UNPINNED_IMAGE,
    MISSING_TAGS,
    APPROVED_WITHOUT_GATE,
    UNUSED_IGNORE,
    UNEXPLAINED_IGNORE,
)

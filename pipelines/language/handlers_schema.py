"""The form of a handlers file: what stands in for the world when a pipeline runs here."""

from __future__ import annotations

from steps import _fragments as f

_NAME = "[A-Za-z_][A-Za-z0-9_]{0,99}"
_FUNCTION = f.text(
    "A function of a module beside this file; it is called with the event, in a job process.",
    "answers:review",
    literal=True,
    pattern=rf"^{_NAME}(\.{_NAME}){{0,9}}:{_NAME}$",
)

STAND_IN = f.one_of(
    "A function, or recorded values.",
    _FUNCTION,
    f.block(
        "A function with a time limit, or recorded values.",
        {
            "function": _FUNCTION,
            "timeout": f.duration("How long the function may take.", "15m"),
            "outputs": f.named(
                "The step's outputs, by name.", f.scalar("A value.", "good"), {"verdict": "good"}
            ),
            "properties": f.named(
                "Members of the answer that references read, in the API's names.",
                f.anything("Any value.", "Completed"),
                {"BestCandidate": {"CandidateName": "one"}},
            ),
            "files": f.named(
                "Files or folders beside this file, by the output or S3 URI they become.",
                f.text("A file or folder.", "recorded/report", path=True),
                {"report": "recorded/report"},
            ),
        },
        {"outputs": {"verdict": "good"}},
    ),
    examples=["answers:review", {"outputs": {"verdict": "good"}}],
)

_ARTEFACT = f.one_of(
    "The model's artefact.",
    f.text("A file or folder.", "models/resnet.tar.gz", path=True),
    f.block(
        "The artefact, and what serves it.",
        {
            "data": f.text("A file or folder.", "models/resnet.tar.gz", path=True),
            "image": f.text(
                "The container's image.",
                "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.4-2",
                literal=True,
            ),
            "environment": f.named(
                "The container's variables.",
                f.scalar("A value.", "inference.py"),
                {"SAGEMAKER_PROGRAM": "inference.py"},
            ),
        },
        {"data": "models/resnet.tar.gz"},
        required=("data",),
    ),
    examples=["models/resnet.tar.gz"],
)

HANDLERS: dict[str, f.Schema] = {
    "steps": f.named("By the step's name.", STAND_IN, {"fold": "answers:fold"}),
    "lambdas": f.named(
        "By the Lambda function's name or ARN.", STAND_IN, {"judge": "answers:judge"}
    ),
    "callbacks": f.named(
        "By the name or URL of a Callback's queue.",
        STAND_IN,
        {"reviews": {"outputs": {"verdict": "good"}}},
    ),
    "images": f.named(
        "By the container image's name; `*` stands for any letters.",
        STAND_IN,
        {"sagemaker-model-monitor-analyzer": "answers:monitor"},
    ),
    "types": f.named(
        "By the API's step type, for all steps of it.", STAND_IN, {"EMR": "answers:spark"}
    ),
    "s3": f.named(
        "Local files or folders by the S3 URIs that they stand for.",
        f.text("A file or folder.", "data/survey", path=True),
        {"s3://survey/raw": "data/survey"},
        propertyNames={"pattern": "^s3://[^/]+(/.*)?$", "description": "An S3 URI."},
    ),
    "models": f.named("Models that exist, by name.", _ARTEFACT, {"resnet": "models/resnet.tar.gz"}),
    "packages": f.named(
        "Model packages that exist, by ARN or `GROUP/VERSION`.",
        _ARTEFACT,
        {"birds/3": "models/birds.tar.gz"},
    ),
}
"""The keys of a handlers file, by what each stands in for."""

SCHEMA: f.Schema = f.block(
    "What stands in for the world when the pipeline runs on this machine.",
    HANDLERS,
    {"lambdas": {"judge": "answers:judge"}, "s3": {"s3://survey/raw": "data/survey"}},
)

"""The fields that every step has, and those of jobs; standard library only."""

from __future__ import annotations

from steps import _fragments as f
from steps import _shared_fields as shared
from steps._contract import Field

_RETRY = f.block(
    "When and how often a failed start of the job is tried again.",
    {
        "on": f.listing(
            "Which failures.",
            f.choice("A kind of failure.", *shared.RETRY_REASONS, literal=True),
            ["throttling", "capacity"],
            minItems=1,
        ),
        "attempts": f.integer("How often at most.", 5, minimum=1, maximum=20, literal=True),
        "interval": f.duration("How long to wait before the first retry.", "1s"),
        "backoff": f.number("The factor by which the wait grows.", 2.0, minimum=0, literal=True),
        "expire": f.duration("After how long no retry starts any more.", "2h"),
    },
    {"on": ["throttling"], "attempts": 5},
    required=["on"],
)

CACHE = Field(
    {
        "anyOf": [
            {"type": "boolean", "description": "true means 30 days.", "examples": [True]},
            f.duration("How old a result may be.", "30d"),
        ],
        "description": "Take the result of an earlier, equal step: true (30 days), false, or how "
        "old it may be.",
        "examples": ["30d", True],
        "x-literal": True,
    },
    api="CacheConfig",
    replace=True,
    default="false",
)

RETRY = Field(
    f.one_of(
        "What to try again: one policy or a list of them.",
        _RETRY,
        f.listing("Policies.", _RETRY, [{"on": ["throttling"], "attempts": 5}], minItems=1),
        examples=[{"on": ["capacity"], "attempts": 10, "interval": "1m"}],
    ),
    api="RetryPolicies",
    replace=True,
)

_TRIGGERS = ("completed", "failed", "stopped", "any")

_ENDED = f.block(
    "A step and how it must have ended.",
    {
        "step": f.text("The step's name.", "train", literal=True),
        "when": f.choice("How it must have ended.", *_TRIGGERS, literal=True),
    },
    {"step": "train", "when": "failed"},
    required=["step"],
)

COMMON: dict[str, Field] = {
    "type": Field(f.text("The step's kind.", "Processing", literal=True), api="Type"),
    "display_name": Field(
        f.text("The name that the console shows.", "Clean the data"), "DisplayName"
    ),
    "description": Field(f.text("What the step is for.", "Splits the survey"), api="Description"),
    "depends_on": Field(
        f.one_of(
            "Steps that must have ended first, beyond those whose values are used.",
            f.text("A step's name or a glob.", "train-*", literal=True),
            f.listing(
                "Steps' names, globs, or a step with the way it must have ended.",
                f.one_of(
                    "A step.",
                    f.text("A step's name or a glob.", "train-*", literal=True),
                    _ENDED,
                    examples=["train", {"step": "train", "when": "failed"}],
                ),
                ["preprocess", "train-*"],
            ),
            _ENDED,
            examples=[["preprocess"], "train-*"],
        ),
        api="DependsOn",
    ),
    "matrix": Field(
        {
            "type": "object",
            "properties": {
                "include": f.listing("Combinations to add.", {"type": "object"}, [{"depth": 12}]),
                "exclude": f.listing(
                    "Combinations to leave out.", {"type": "object"}, [{"depth": 4}]
                ),
            },
            "additionalProperties": {"type": "array", "minItems": 1},
            "description": "Repeat the step for every combination of these values; the step's key "
            "must contain them.",
            "examples": [{"depth": [4, 8]}],
            "x-literal": True,
        }
    ),
}

TAIL: dict[str, Field] = {
    "cache": CACHE,
    "retry": RETRY,
    "request": Field(
        {
            "type": "object",
            "description": "Merged into the step's `Arguments`, in the API's own names: everything "
            "the short fields don't say.",
            "examples": [{"StoppingCondition": {"MaxRuntimeInSeconds": 3600}}],
        },
        api="Arguments",
    ),
    "step_fields": Field(
        {
            "type": "object",
            "description": "Merged into the step's object in the definition JSON, in the "
            "service's own names.",
            "examples": [{"DisplayName": "Train"}],
        }
    ),
}

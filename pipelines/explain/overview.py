"""The page that says what there is to explain."""

from __future__ import annotations

from pipelines.explain import schemas
from pipelines.explain.document import Document, Heading, Table, Text
from pipelines.explain.topics import TOPICS
from pipelines.language.schema import TOP
from steps import KINDS


def overview() -> Document:
    """Return the first page."""
    kinds = tuple((f"`{kind.name}`", kind.summary) for kind in KINDS)
    keys = tuple((f"`{name}`", schemas.description(field.schema)) for name, field in TOP.items())
    topics = tuple((f"`{name}`", page.summary) for name, page in TOPICS.items())
    return Document(
        "sagedag explain",
        "",
        "A definition describes a SageMaker pipeline: a name, parameters, and steps.",
        (
            Heading("Step kinds"),
            Table(("type", "what a step of it does"), kinds),
            Heading("Keys of a definition"),
            Table(("key", "what it is"), keys),
            Heading("Topics"),
            Table(("topic", "what it is about"), topics),
            Heading("How to go on"),
            Table(
                (),
                (
                    ("`sagedag explain Training`", "a step kind, with an example"),
                    ("`sagedag explain Training.instance`", "a field, and what is inside it"),
                    ("`sagedag explain parameters`", "a key of the top level"),
                    ("`sagedag explain references`", "a topic"),
                    ("`sagedag explain codes`", "all error codes"),
                    ("`sagedag explain unknown-key`", "one error code"),
                    ("`sagedag explain lint`", "all rules of `sagedag lint`"),
                ),
            ),
            Text("`sagedag schema` prints all of it as a JSON Schema, for editors."),
        ),
    )

"""What a step kind and the rest of the product agree on; standard library only.

A kind receives a :class:`Step` (its fields as plain data in which expressions stand for what is
known only when the pipeline runs) and a :class:`Context`, and returns a :class:`StepRequest`: the
step's ``Arguments`` in the API's own words. Neither side knows the other's rooms.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Any, Literal, Protocol, Union

from steps._expressions import Expr, Path

# The contract is where all of it is imported from.
from steps._parts import (
    Changed as Changed,
)
from steps._parts import (
    Fill as Fill,
)
from steps._parts import (
    Part as Part,
)
from steps._parts import (
    Taken as Taken,
)
from steps._request import (
    Clause as Clause,
)
from steps._request import (
    Comparison as Comparison,
)
from steps._request import (
    PropertyFile as PropertyFile,
)
from steps._request import (
    Retry as Retry,
)
from steps._request import (
    StepRequest as StepRequest,
)

# --- Fields --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Short:
    """How a field's short form becomes its long form.

    Args:
        key: the key that a scalar (or, where ``lists``, a list) stands for; the empty text: none.
        paths: a scalar that begins with ``/`` stands for this key instead.
        names: a list of names becomes a map of empty maps.
        each: how the values of the map become long.
        lists: a list is the short form of ``key`` too.
        members: how the values of single keys become long, by key.
    """

    key: str = ""
    paths: str = ""
    names: bool = False
    each: Short | None = None
    lists: bool = False
    members: Mapping[str, Short] = field(default_factory=dict)


@dataclass(frozen=True)
class Field:
    """One field of the definition language.

    Args:
        schema: its JSON Schema (draft-07), with ``description`` and ``examples``.
        api: the API field it becomes, dotted; ``[]`` marks a list written as a map by name.
        short: its short form; None where it has none.
        replace: a higher layer replaces it whole instead of merging into it.
        default: what stands where nothing is written, for the documentation.
        members: for a list written as a map by name: the item's keys that members come from.
    """

    schema: Mapping[str, Any]
    api: str = ""
    short: Short | None = None
    replace: bool = False
    default: str = ""
    members: Mapping[str, str] = field(default_factory=dict)


# --- Problems, steps, requests -------------------------------------------------------------------


@dataclass(frozen=True)
class Problem:
    """Something wrong in a step: where, what, and how to mend it.

    Args:
        code: the stable code that ``sagedag explain`` knows.
        path: from the step down; the empty path is the step itself.
        message: one sentence without a full stop at the end.
        hint: what to do; may be empty.
        at_key: point at the key instead of the value.
        level: ``error`` or ``warning``.
    """

    code: str
    path: Path
    message: str
    hint: str = ""
    at_key: bool = False
    level: Literal["error", "warning"] = "error"


@dataclass(frozen=True)
class Step:
    """A step as its kind sees it.

    Args:
        name: its name in the pipeline.
        kind: its kind's name.
        fields: its fields in long form; expressions stand where references were.
        own: the fields that are written at the step itself, not inherited.
    """

    name: str
    kind: str
    fields: Mapping[str, Any]
    own: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Code:
    """A published code folder.

    Args:
        files: the S3 prefix that holds the files as they are.
        archive: the S3 URI of the same files as ``sourcedir.tar.gz``.
        entry: the file to run, relative to the folder.
        has_requirements: the folder has a ``requirements.txt``.
    """

    files: str
    archive: str
    entry: str
    has_requirements: bool


@dataclass(frozen=True)
class Document:
    """A file that is made while compiling and published as an asset.

    Args:
        name: the file's name.
        content: what it holds; nothing in it may depend on the machine or the moment.
    """

    name: str
    content: bytes


@dataclass(frozen=True)
class Environment:
    """Where a definition is compiled for; see ``environments.yaml``."""

    name: str
    account: str
    region: str
    role: str
    bucket: str
    prefix: str = ""
    profile: str = ""
    local: bool = False

    @property
    def root(self) -> str:
        """The S3 prefix below which everything of this environment lies, without a slash."""
        return f"s3://{self.bucket}/{self.prefix}" if self.prefix else f"s3://{self.bucket}"


class Context(Protocol):
    """What a kind may ask for while it builds its request."""

    @property
    def environment(self) -> Environment:
        """Where the definition is compiled for."""

    def image(self, step: Step, path: Path, image: Any, scope: str, instance: Any) -> Any:
        """Return the image's URI; problems are reported at ``path``."""

    def code(self, step: Step, path: Path) -> Code | None:
        """Publish the code field at ``path``; None where it is missing or wrong (reported)."""

    def asset(self, step: Step, path: Path) -> str:
        """Publish the file or folder named at ``path``; return its S3 URI."""

    def bundle(self, step: Step, paths: Sequence[Path]) -> str:
        """Publish the files and folders named at ``paths`` beside each other in one folder.

        Returns:
            The S3 URI of that folder; empty where one of them is missing or wrong (reported).
        """

    def module(self, step: Step, path: Path) -> tuple[str, str]:
        """Publish the module of ``module:callable`` at ``path``.

        Returns:
            The S3 URI of its file, or of the folder it lies in, and that folder's name.
        """

    def shipped(self, file: FilePath) -> str:
        """Publish a file of the product itself; return its S3 URI."""

    def document(self, document: Document) -> str:
        """Publish a file that was made while compiling; return its S3 URI."""

    def destination(self, step: Step, *names: str) -> Any:
        """Return the default S3 URI of an output: one folder per execution and step."""

    def stable_destination(self, step: Step, *names: str) -> Any:
        """Return a default S3 URI without the execution's id, for what the step cache looks at."""

    def report(self, step: Step, problem: Problem) -> None:
        """Tell the user about a problem; building goes on."""


class MapKey(str):
    """A segment of a reference that was written ``['key']`` and not ``.member``."""


@dataclass(frozen=True)
class Attribute:
    """What a reference into a step resolves to."""

    expression: Expr
    rest: tuple[Union[str, int], ...] = ()


@dataclass(frozen=True)
class NoAttribute:
    """A reference into a step that leads nowhere.

    Args:
        index: the segment (after the step's name) that is wrong.
        message: what is wrong with it.
        near: the names that would have been right.
    """

    index: int
    message: str
    near: Sequence[str] = ()


class Kind:
    """A step kind: its fields, its references and its request.

    Subclasses set the class attributes and write :meth:`build`; the rest has defaults that hold
    for most kinds.
    """

    name: str
    """The ``type`` in a definition."""
    api_type: str
    """The ``Type`` in the definition JSON; empty where :meth:`type_of` or the parts have it."""
    known_as: tuple[str, ...] = ()
    """Calls that the step makes beside or in place of ``operation``: a wrong ``type`` that names
    one is told the kind."""
    operation: str = ""
    """The API call whose request the ``Arguments`` are; empty where there is none."""
    takes_request: bool = True
    """Whether the ``Arguments`` have more to them than the fields say (``request``)."""
    takes_step_fields: bool = True
    """Whether there is one step object that ``step_fields`` can be meant for."""
    describe: str = ""
    """The shape of the Describe response that references read; empty where there is none."""
    describe_also: tuple[str, ...] = ()
    """Shapes whose members references read beside those of ``describe``."""
    service: str = "sagemaker"
    """The service whose model, as botocore names it, has the shapes of ``describe`` and ``parts``.
    """
    parts: Mapping[str, str] = {}
    """Members of the ``Arguments`` and the shapes that judge them, where the ``Arguments`` as a
    whole are no call's request; a member that is not listed is unknown."""
    summary: str
    about: str = ""
    """What a newcomer must know beyond the fields: where the container finds what, what is run.
    Paragraphs are divided by empty lines, and code stands in backticks."""
    example: str
    fields: Mapping[str, Field]
    required: tuple[str, ...] = ()
    cacheable: bool = False
    retries: tuple[str, ...] = ()
    """The retry reasons the service knows for this kind; see ``retry``."""
    refused: Mapping[str, str] = {}
    """Members of the request that the service refuses in a pipeline, with the reason."""
    supplied: tuple[str, ...] = ()
    """Required members of the request that the service fills in itself."""
    item_operations: Mapping[str, str] = {}
    """Members of the ``Arguments`` that are lists of another call's requests, with that call."""
    offers: Mapping[str, str] = {}
    """What references find beyond ``attributes``, because the language itself resolves it: the
    text after ``steps.NAME.`` and what it gives, for the documentation."""
    inherits: Mapping[str, tuple[str, ...]] = {}
    """Fields taken from the step that ``model`` refers to, with the kinds that can give them."""
    part_suffixes: tuple[str, ...] = ()
    """What the names of the steps that a step always becomes add to its own; see :meth:`unfold`."""
    fills_from: str = ""
    """A field that lists steps by name or glob; :meth:`filled` says what they fill in."""

    def attributes(self, step: Step) -> Mapping[str, Sequence[str] | None]:
        """Return what follows ``steps.NAME.``: each word with the names below it, None: no list."""
        del step
        return {"properties": None} if self.describe else {}

    def attribute(self, step: Step, path: tuple[str | int, ...]) -> Attribute | NoAttribute:
        """Resolve ``path``, the segments after the step's name (``properties`` excepted)."""
        del step
        return NoAttribute(0, f"a {self.name} step has no `{path[0]}`")

    def type_of(self, step: Step) -> str:
        """Return the step's ``Type`` in the definition JSON."""
        del step
        return self.api_type

    def gives(self, step: str) -> Mapping[str, Any]:
        """Return what steps whose ``model`` refers to a step of this kind take over from it.

        Args:
            step: the step's name.

        Only what is in no field of the step, but in references to it; see :attr:`inherits`.
        """
        del step
        return {}

    def unfold(self, step: Step) -> Sequence[Part | Changed]:
        """Return the steps that the step becomes, in their order; none: it stays as it is.

        Without :class:`Changed` among them the step itself is gone. It is asked before references
        are resolved: the fields fit the schema and hold the texts as they are written.
        """
        del step
        return ()

    def filled(self, others: Sequence[Step]) -> Iterator[Fill | Problem]:
        """Yield what the steps that ``fills_from`` names fill in.

        Args:
            others: the steps, as :meth:`unfold` sees them. A problem's path is ``fills_from`` and
                the position of the step among them.
        """
        del others
        yield from ()

    def waits_for(self, step: Step) -> Sequence[tuple[Path, str]]:
        """Return the steps that fields name, each with its field; the step waits for them."""
        del step
        return ()

    def check_awaited(self, step: Step, path: Path, other: str) -> Iterator[Problem]:
        """Yield what is wrong with a step that :meth:`waits_for` names.

        Args:
            path: the field that names it.
            other: its ``Type`` in the definition JSON.
        """
        del step, path, other
        yield from ()

    def check(self, step: Step) -> Iterator[Problem]:
        """Yield what is wrong with the step beyond its schema."""
        del step
        yield from ()

    def build(self, step: Step, context: Context) -> Mapping[str, Any]:
        """Return the step's ``Arguments``."""
        raise NotImplementedError(self.name)

    def members(self, step: Step, context: Context) -> Mapping[str, Any]:
        """Return the members of the step object that stand beside its arguments."""
        del step, context
        return {}

    def document(self, step: Step, name: str) -> Document:
        """Return a document of the step that other steps refer to by a ``DocumentRef``."""
        raise NotImplementedError(f"{self.name} makes no document {name}")

    def property_files(self, step: Step) -> tuple[PropertyFile, ...]:
        """Return the step's property files."""
        del step
        return ()

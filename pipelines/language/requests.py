"""From a specification to requests: every kind builds its own, the API's model judges them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path as FilePath
from typing import Any

from pipelines.assets import Asset, make_asset
from pipelines.errors import DefinitionError
from pipelines.language.asset_store import AssetStore, asset_uri
from pipelines.language.diagnostics import Report, as_clause
from pipelines.language.function_module import find_module
from pipelines.language.image_addresses import image_address
from pipelines.language.nodes import Scalar, Source, Span, get, locate
from pipelines.language.pipeline_checks import pipeline_problems, size_problem
from pipelines.language.project import resolve_inside
from pipelines.language.repair import NOWHERE
from pipelines.language.request_checks import check_request
from pipelines.language.request_merge import merge_request
from pipelines.language.spec import PipelineSpec, StepSpec
from steps._contract import Code, Document, Environment, Problem, Step, StepRequest
from steps._expressions import UNKNOWN, DocumentRef, ExecutionRef, Join, ParameterRef, Path

JOB_NAMES = {"Processing": "ProcessingJobName", "Training": "TrainingJobName"}
"""[U] Execution variables that keep the outputs of a ForEach's rounds apart; that they hold the
name of the job around them is said nowhere but in the SDK's list of variables."""

SERVICE_ADDS_JOB = ("Training", "Tuning", "AutoML", "NotebookJob", "Repack")
"""Kinds whose jobs write below their own names anyway."""

NO_IMAGE = "unknown/unknown"
"""Stands for the address of an image that is wrong, which was told."""

_EXECUTION_ID = ExecutionRef("PipelineExecutionId")


@dataclass(frozen=True)
class Program:
    """A definition's requests and what must be published for them.

    Args:
        spec: the specification they were made of.
        steps: the steps' requests, in the order of the file.
        assets: the code and files by digest, those made while compiling last.
        places: the files and folders that assets are made of.
    """

    spec: PipelineSpec
    steps: tuple[StepRequest, ...]
    assets: tuple[Asset, ...]
    places: tuple[FilePath, ...] = ()


def build_program(spec: PipelineSpec, report: Report, store: AssetStore) -> Program:
    """Return the requests of a checked specification; problems go to the report."""
    builder = _Builder(spec, report, store)
    steps = tuple(builder.step(step) for step in spec.steps)
    for problem in pipeline_problems(spec):
        if problem.path and report.blames(problem.path):
            continue
        report.problem(spec.tree, problem)
    if large := size_problem(spec, walk_requests(steps)):
        report.problem(spec.tree, large)
    return Program(spec, steps, store.assets, store.places)


class _Builder:
    """Builds the requests of one specification; it is the kinds' :class:`Context`."""

    def __init__(self, spec: PipelineSpec, report: Report, store: AssetStore) -> None:
        self.spec = spec
        self.reporter = report
        self.store = store
        self.paths = {step.name: step.path for step in spec.walk()}
        self.specs = {step.name: step for step in spec.walk()}
        self.in_loops = {
            step.name for step in spec.walk() if "steps" in (field for _, field in step.branch)
        }
        self.wrong_images: set[tuple[Source, Span, str]] = set()
        self.parameters = {parameter.name: parameter for parameter in spec.parameters}

    def step(self, spec: StepSpec) -> StepRequest:
        if not spec.sound:
            then, otherwise, body = self.branches(spec)
            return StepRequest(
                spec.name, spec.kind.api_type, {}, then=then, otherwise=otherwise, body=body
            )
        arguments = self.settled(spec.kind.build(spec.step, self))
        given = spec.step.fields.get("request")
        if isinstance(given, Mapping):
            arguments = merge_request(arguments, self.settled(given))
        then, otherwise, body = self.branches(spec)
        for problem in check_request(spec, arguments, local=self.environment.local):
            # What the service would make of a field that is wrong anyway is no news.
            if problem.path or not self.reporter.blames(spec.path):
                self.report(spec.step, problem)
        return StepRequest(
            name=spec.name,
            type=spec.kind.type_of(spec.step),
            arguments=arguments,
            depends_on=tuple((d.step, d.when) for d in spec.depends_on),
            display_name=str(spec.step.fields.get("display_name", "")),
            description=str(spec.step.fields.get("description", "")),
            cache=spec.cache,
            retries=spec.retries,
            property_files=spec.kind.property_files(spec.step),
            clauses=spec.clauses,
            then=then,
            otherwise=otherwise,
            body=body,
            members=self.settled(spec.kind.members(spec.step, self)),
            fields=self.settled(dict(spec.step.fields.get("step_fields", {}))),
        )

    def settled(self, value: Any) -> Any:
        """Return a value with the URIs of documents in the place of references to them."""
        if isinstance(value, DocumentRef):
            spec = self.specs[value.step]
            if not spec.sound:
                return UNKNOWN  # a step with mistakes has no document; they were told
            return self.document(spec.kind.document(spec.step, value.name))
        if isinstance(value, Join):
            return replace(value, values=tuple(self.settled(part) for part in value.values))
        if isinstance(value, Mapping):
            return {name: self.settled(part) for name, part in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.settled(part) for part in value]
        return value

    def branches(self, spec: StepSpec) -> tuple[tuple[StepRequest, ...], ...]:
        """Return the requests of the steps inside: those of both branches, those of a body."""
        then, otherwise, body = (
            tuple(self.step(inner) for inner in steps)
            for steps in (spec.then, spec.otherwise, spec.body)
        )
        return then, otherwise, body

    # --- what kinds may ask for (steps._contract.Context) ---

    @property
    def environment(self) -> Environment:
        """Where the definition is compiled for."""
        return self.spec.environment

    def report(self, step: Step, problem: Problem) -> None:
        """Tell the user about a problem, unless one was told at the same place."""
        if not problem.path or not self.blamed(step, problem.path):
            self.reporter.problem(self.spec.tree, problem, self.paths[step.name])

    def is_stand_in(self, step: Step, path: Path) -> bool:
        """Whether the value at a path stands for what is written, which is wrong."""
        stand_ins = self.specs[step.name].stand_ins
        return any(path[: len(each)] == each for each in stand_ins)

    def blamed(self, step: Step, path: Path) -> bool:
        """Whether something was told at a path of a step."""
        return self.reporter.blames((*self.paths[step.name], *path))

    def image(self, step: Step, path: Path, image: Any, scope: str, instance: Any) -> Any:
        """Return the image's URI."""
        if not isinstance(image, Mapping):
            if isinstance(image, str) and "/" not in image:
                message = f"`{image}` is not the URI of an image in a registry"
                name, _, version = image.partition(":")
                written = f"{{framework: {name}, version: {version or '…'}}}"
                hint = f"a framework's image is written `{written}`"
                self.report(step, Problem("unknown-image", path, message, hint))
            return image
        if any(self.is_stand_in(step, (*path, part)) for part in image):
            return NO_IMAGE
        found = image_address(image, scope, self.known(instance), self.environment.region)
        if isinstance(found, str):
            return found
        if found.field == "instance_type" and self.blamed(step, ("instance",)):
            return NO_IMAGE
        named = {"base_framework_version": "base_framework", "instance_type": "instance"}
        part = named.get(str(found.field), str(found.field))
        place = (*path, part) if part in image else path
        at = (*locate(self.spec.tree, (*self.paths[step.name], *place)), found.message)
        if at in self.wrong_images:
            return NO_IMAGE  # a default that other steps have as well
        self.wrong_images.add(at)
        message = (
            f"{as_clause(found.message)} (for {image.get('scope') or scope}, in `{step.name}`)"
        )
        self.report(step, Problem("unknown-image", place, message, as_clause(found.hint)))
        return NO_IMAGE

    def known(self, value: Any) -> str | None:
        """Return a value as far as it is known now: a parameter stands for its default."""
        if isinstance(value, ParameterRef):
            value = self.parameters[value.name].default
        return value if isinstance(value, str) else None

    def code(self, step: Step, path: Path) -> Code | None:
        """Publish a code field."""
        value: Any = step.fields
        for key in path:
            value = value[key]
        if isinstance(value, Mapping):
            folder = self.resolved(step, (*path, "dir"), "folder")
            if folder is None:
                return None
            entry = str(value.get("entry"))
            if not self.check_entry(step, (*path, "entry"), folder, entry):
                return None
        else:
            file = self.resolved(step, path, "file")
            if file is None:
                return None
            folder, entry = file, file.name
        asset = self.asset_of(step, path, folder)
        if asset is None:
            return None
        names = {name for name, _, _ in asset.entries}
        has_requirements = folder.is_dir() and "requirements.txt" in names
        return Code(asset.files_uri, asset.archive_uri, entry, has_requirements)

    def check_entry(self, step: Step, path: Path, folder: FilePath, entry: str) -> bool:
        """Check that the entry point is a file in its folder."""
        target = (folder / entry).resolve()
        if not target.is_relative_to(folder.resolve()):
            self.report(
                step, Problem("outside-project", path, f"`{entry}` leads out of the code folder")
            )
            return False
        if not target.is_file():
            from pipelines.language.diagnostics import suggest

            names = [p.relative_to(folder).as_posix() for p in sorted(folder.rglob("*.py"))]
            self.report(
                step,
                Problem(
                    "missing-file",
                    path,
                    f"there is no file `{entry}` in the code folder",
                    suggest(entry, names),
                ),
            )
            return False
        return True

    def asset(self, step: Step, path: Path) -> str:
        """Publish the file or folder named at ``path``."""
        found = self.resolved(step, path, "any")
        asset = self.asset_of(step, path, found) if found is not None else None
        return asset_uri(asset, found) if asset is not None and found is not None else NOWHERE

    def bundle(self, step: Step, paths: Sequence[Path]) -> str:
        """Publish the files and folders named at ``paths`` in one folder."""
        found = [self.resolved(step, path, "file" if path == paths[0] else "any") for path in paths]
        known = tuple(path for path in found if path is not None)
        if len(known) < len(paths):
            self.reporter.blame((*self.paths[step.name], *paths[0]))
            return NOWHERE
        asset = self.made(step, paths[0], lambda: self.store.bundle(known, self.environment))
        return asset.files_uri if asset is not None else NOWHERE

    def module(self, step: Step, path: Path) -> tuple[str, str]:
        """Publish the module of ``module:callable``."""
        node = get(self.spec.tree, *self.paths[step.name], *path)
        if not isinstance(node, Scalar) or self.is_stand_in(step, path):
            return NOWHERE, ""
        found = find_module(node, self.spec.project, self.reporter)
        asset = self.asset_of(step, path, found[0]) if found is not None else None
        if found is None or asset is None:
            return NOWHERE, ""
        return asset_uri(asset, found[0]), found[1]

    def shipped(self, file: FilePath) -> str:
        """Publish a file of the product itself."""
        if file not in self.store.made:
            made = make_asset(file, self.environment.root, file.parent)
            self.store.made[file] = made
        return asset_uri(self.store.made[file], file)

    def document(self, document: Document) -> str:
        """Publish a file that was made while compiling."""
        return self.store.write(document, self.environment)

    def asset_of(self, step: Step, path: Path, found: FilePath) -> Asset | None:
        return self.made(step, path, lambda: self.store.make(found, self.environment))

    def made(self, step: Step, path: Path, make: Callable[[], Asset]) -> Asset | None:
        """Return an asset; reports at ``path`` where it can't be one."""
        try:
            return make()
        except DefinitionError as error:
            self.report(step, Problem("bad-asset", path, error.message, error.hint))
        except OSError as error:
            self.report(step, Problem("bad-asset", path, f"it can't be read: {error.strerror}"))
        return None

    def resolved(self, step: Step, path: Path, want: str) -> FilePath | None:
        """Return the file that a field names, relative to where the field was written."""
        node = get(self.spec.tree, *self.paths[step.name], *path)
        if not isinstance(node, Scalar) or self.is_stand_in(step, path):
            return None
        return resolve_inside(node, self.spec.project, self.reporter, want=want)

    def destination(self, step: Step, *names: str) -> Any:
        """Return an output's default place: a folder of the execution and step."""
        tail = "/".join([step.name, *names])
        root = f"{self.environment.root}/{self.spec.name}/"
        if step.name in self.in_loops and step.kind not in SERVICE_ADDS_JOB:
            job = self.job_of(step)
            rest = "".join(f"/{name}" for name in names)
            return Join((root, _EXECUTION_ID, f"/{step.name}/", job, rest), meaning="s3")
        return Join((root, _EXECUTION_ID, f"/{tail}"), meaning="s3")

    def job_of(self, step: Step) -> ExecutionRef:
        """Return the name of a step's job; reports a kind whose jobs have none to refer to."""
        if step.kind not in JOB_NAMES:
            problem = Problem(
                "missing-key",
                (),
                "missing key `output`: in a ForEach the rounds would write to the same place",
                "write a place with `${item}` in it",
                at_key=True,
            )
            self.report(step, problem)
        return ExecutionRef(JOB_NAMES.get(step.kind, "ProcessingJobName"))

    def stable_destination(self, step: Step, *names: str) -> Any:
        """Return a default place that every execution shares."""
        if step.name in self.in_loops:
            rest = "".join(f"/{name}" for name in names)
            root = f"{self.environment.root}/{self.spec.name}/{step.name}/"
            return Join((root, self.job_of(step), rest), meaning="s3")
        return "/".join([self.environment.root, self.spec.name, step.name, *names])


def walk_requests(steps: tuple[StepRequest, ...]) -> list[StepRequest]:
    """Return the requests and those in their branches, in the order of the file."""
    found: list[StepRequest] = []
    for step in steps:
        found += [step, *walk_requests(step.then), *walk_requests(step.otherwise)]
        found += walk_requests(step.body)
    return found

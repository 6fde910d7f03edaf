"""QualityCheck and ClarifyCheck: a processing job, and the comparison with a baseline."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Any, ClassVar

from pipelines.errors import ExecutionFailed
from pipelines.local.handlers._baselines import (
    VIOLATIONS,
    Check,
    missing_baseline,
    read_check,
    read_violations,
    say_violations,
)
from pipelines.local.handlers._contract import Call, Handler, StepContext, StepError, StepResult
from pipelines.local.handlers._jobs import as_step_end, dig, each, job_context, texts
from pipelines.local.handlers._models import find_model
from pipelines.local.handlers.processing import ProcessingHandler, run_stand_in
from pipelines.local.identity import Identity
from pipelines.local.jobs import JobContext, JobFailed, discard, run_processing
from pipelines.local.jobs.drivers.analysis.endpoint import VARIABLE as ENDPOINT
from pipelines.local.registry import Registry
from pipelines.local.serving import Host, HostSettings
from pipelines.local.stand_ins import StandIn, StandIns

_CALCULATED = {
    "statistics": "CalculatedBaselineStatistics",
    "constraints": "CalculatedBaselineConstraints",
}
_USED = {
    "statistics": "BaselineUsedForDriftCheckStatistics",
    "constraints": "BaselineUsedForDriftCheckConstraints",
}
"""The properties of a check step by file."""

_BASELINE = "/opt/ml/processing/baseline"
"""Where a job finds the baseline; the container's contract says it by variables."""


class CheckHandler(Handler):
    """Runs a check's job and compares what it calculated with a baseline."""

    operation = "CreateProcessingJob"
    name_field = "ProcessingJobName"
    metadata_name: ClassVar[str]
    files: ClassVar[Mapping[str, str]]
    """What the job writes, by the baseline's file."""
    counted_names: ClassVar[tuple[str, ...]] = (
        "SkipCheck",
        "RegisterNewBaseline",
        "ModelPackageGroupName",
        "SuppliedBaselineConstraints",
    )
    # AWS, "Caching pipeline steps": the check's and its job's configuration. In the request they
    # are these; where the reports go is left out, as for Processing.
    cache_attributes = (
        "AppSpecification",
        "Environment",
        "ProcessingInputs",
        "ProcessingResources",
        "StoppingCondition",
        "NetworkConfig",
        "RoleArn",
    )

    def inputs(self, request: Mapping[str, Any]) -> list[str]:
        """Return the URIs of the job's inputs."""
        return ProcessingHandler().inputs(request)

    def counted_members(self, members: Mapping[str, Any], registry: Registry) -> Mapping[str, Any]:
        """Return the members that the service's documentation counts, and the check's type."""
        del registry
        names = ("CheckType", *self.counted_names)
        return {name: members[name] for name in names if name in members}

    def more_inputs(self, members: Mapping[str, Any], registry: Registry) -> list[str]:
        """Return the URIs of the baseline that would be compared with."""
        check = read_check(members, registry)
        return [] if check.skip and check.register else list(check.previous.values())

    def stand_in(
        self, request: Mapping[str, Any], members: Mapping[str, Any], stand_ins: StandIns
    ) -> StandIn | None:
        """Return what stands in for the image."""
        return ProcessingHandler().stand_in(request, members, stand_ins)

    def obstacle(self, call: Call) -> str:
        """Say that nothing is known to run."""
        return ProcessingHandler().obstacle(call)

    def foresee(
        self, request: Mapping[str, Any], name: str, identity: Identity
    ) -> Mapping[str, Any]:
        """Return where the calculated baseline will be."""
        del name, identity
        return self._calculated(request)

    def outputs(self, request: Mapping[str, Any]) -> list[str]:
        """Return the URIs of the reports; ``request`` may be the step's properties."""
        known = texts(request.get(name) for name in _CALCULATED.values())
        return known or ProcessingHandler().outputs(request)

    def run(self, request: Mapping[str, Any], context: StepContext) -> StepResult:
        """Run the job, compare, and say which baseline is the one from now on."""
        check = read_check(context.members, context.registry)
        job = job_context(context, "processing-job")
        metadata = self._metadata(check, job)
        lacking = missing_baseline(check)
        if lacking:
            raise StepError(lacking, {self.metadata_name: metadata})
        calculated = self._calculated(request)
        properties: dict[str, Any] = dict(calculated)
        for file, name in _USED.items():
            if file in self.files:
                new = calculated[_CALCULATED[file]] if check.register else None
                uri = new or check.previous.get(file)
                properties.update({name: uri} if uri else {})
        metadata.update(properties)
        with as_step_end({self.metadata_name: metadata}):
            if context.stand_in is not None:
                run_stand_in(request, job, context.stand_in)
            else:
                compared = {} if check.skip else check.previous
                with self.prepared(with_baseline(request, compared), check, context, job) as asked:
                    run_processing(asked, job)
        if not check.skip:
            self._judge(check, request, context, metadata)
        outputs = tuple(texts(calculated.values()))
        return StepResult(properties, {self.metadata_name: metadata}, outputs=outputs)

    @contextmanager
    def prepared(
        self, request: Mapping[str, Any], check: Check, context: StepContext, job: JobContext
    ) -> Iterator[Mapping[str, Any]]:
        """Hold what the job needs besides its inputs; yield its request."""
        del check, context, job
        yield request

    def _judge(
        self,
        check: Check,
        request: Mapping[str, Any],
        context: StepContext,
        metadata: dict[str, Any],
    ) -> None:
        """Read the violations; they fail the step, unless it says otherwise.

        Raises:
            StepError: there are some.
        """
        report = f"{_folder(request)}/{VIOLATIONS}"
        found = read_violations(report, context)
        if not found:
            return
        metadata["ViolationReport"] = report
        said = say_violations(found, report)
        if check.fail:
            raise StepError(said, {self.metadata_name: metadata})
        context.say(f"sagedag: {said}")

    def _calculated(self, request: Mapping[str, Any]) -> dict[str, str]:
        folder = _folder(request)
        return {_CALCULATED[file]: f"{folder}/{name}" for file, name in self.files.items()}

    def _metadata(self, check: Check, job: JobContext) -> dict[str, Any]:
        made = {
            "CheckType": check.kind,
            "CheckJobArn": job.arn,
            "SkipCheck": check.skip,
            "RegisterNewBaseline": check.register,
        }
        return {**made, "ModelPackageGroupName": check.group} if check.group else made


def _folder(request: Mapping[str, Any]) -> str:
    """Return where the job's reports go: its first output."""
    outputs = each(dig(request, "ProcessingOutputConfig", "Outputs"))
    found = texts(dig(item, "S3Output", "S3Uri") for item in outputs)
    if not found:
        raise StepError("the check's job has no output to write its reports to")
    return found[0].rstrip("/")


def with_baseline(request: Mapping[str, Any], baseline: Mapping[str, str]) -> Mapping[str, Any]:
    """Add a baseline's files to a request, by the variables of the container's contract.

    Source: Developer Guide, "Container Contract Inputs": ``baseline_constraints`` and
    ``baseline_statistics``.
    """
    inputs = list(each(request.get("ProcessingInputs")))
    variables = dict(request.get("Environment") or {})
    for file, uri in baseline.items():
        place = f"{_BASELINE}/{file}"
        source = {"S3Uri": uri, "LocalPath": place, "S3DataType": "S3Prefix"}
        inputs.append({"InputName": f"baseline_{file}", "S3Input": source})
        variables[f"baseline_{file}"] = f"{place}/{uri.rstrip('/').rpartition('/')[2]}"
    return {**request, "ProcessingInputs": inputs, "Environment": variables}


class QualityCheckHandler(CheckHandler):
    """Compares the quality of data or of a model's answers with a baseline."""

    api_type = "QualityCheck"
    metadata_name = "QualityCheck"
    files: ClassVar[Mapping[str, str]] = {
        "statistics": "statistics.json",
        "constraints": "constraints.json",
    }
    counted_names = (*CheckHandler.counted_names, "SuppliedBaselineStatistics")


class ClarifyCheckHandler(CheckHandler):
    """Compares bias, or what a model's answers hang on, with a baseline."""

    api_type = "ClarifyCheck"
    metadata_name = "ClarifyCheck"
    # [U] Which of the job's files the service takes for constraints: the one that has the metrics.
    files: ClassVar[Mapping[str, str]] = {"constraints": "analysis.json"}

    def more_inputs(self, members: Mapping[str, Any], registry: Registry) -> list[str]:
        """Return the URIs of the baseline and, as its name tells nothing, of the model's data."""
        record = registry.model(str(members.get("ModelName") or "").rpartition(":model/")[2])
        described = record.description if record is not None else {}
        containers = [described.get("PrimaryContainer"), *each(described.get("Containers"))]
        data = [dig(container, "ModelDataUrl") for container in containers]
        return [*super().more_inputs(members, registry), *texts(data)]

    def obstacle(self, call: Call) -> str:
        """Say that nothing is known to run, or that no model is named."""
        members = call.members
        if call.stand_in is None and _asks(members) and not members.get("ModelName"):
            return f"{members.get('CheckType')} asks a model, and ModelName names none"
        return super().obstacle(call)

    @contextmanager
    def prepared(
        self, request: Mapping[str, Any], check: Check, context: StepContext, job: JobContext
    ) -> Iterator[Mapping[str, Any]]:
        """Serve the model that the job asks, for as long as it runs."""
        del check
        name = context.members.get("ModelName")
        if not _asks(context.members) or not name:
            yield request
            return
        try:
            served = find_model(str(name), context)
        except ExecutionFailed as error:
            raise JobFailed(str(error), job.log) from None
        with ExitStack() as stack:
            ports = []
            for number, container in enumerate(served.containers, 1):
                folder = context.folder.with_name(f"{context.folder.name}-model-{number}")
                stack.callback(discard, folder)
                host = Host(container, replace(job, folder=folder), HostSettings(max_bytes=0))
                stack.callback(host.stop)
                host.start()
                ports.append(str(host.port))
            variables = {**(request.get("Environment") or {}), ENDPOINT: ",".join(ports)}
            yield {**request, "Environment": variables}


def _asks(members: Mapping[str, Any]) -> bool:
    """Whether a check asks a model."""
    return members.get("CheckType") in ("MODEL_BIAS", "MODEL_EXPLAINABILITY")

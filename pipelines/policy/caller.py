"""Policies of who plans, deploys and starts, and what the roles trust.

Sources: Service Authorization Reference for Amazon SageMaker, Amazon S3, Amazon EventBridge
Scheduler and AWS STS; "Cross-service confused deputy prevention" in the developer guides of
SageMaker and EventBridge Scheduler.
"""

from __future__ import annotations

from collections.abc import Iterator

from pipelines.cloud.ownership import ENVIRONMENT
from pipelines.language.spec import PipelineSpec
from pipelines.policy.model import Policy, Statement, actions
from pipelines.policy.names import Names
from pipelines.policy.needs import JobNeeds

WHO_PLANS = "who plans: people, and CI on pull requests"
WHO_DEPLOYS = "who deploys: CI on the main branch, which plans as well"
WHO_PRUNES = "who deploys with --prune, beside planning and deploying"
WHO_STARTS = "who starts and watches executions"


class Caller:
    """Makes the policies of one definition's callers.

    Args:
        spec: the definition.
    """

    def __init__(self, spec: PipelineSpec) -> None:
        self.spec, self.names = spec, Names(spec.environment)
        self.pipelines = tuple(self.names.sagemaker("pipeline", [spec.name]))
        prefix = spec.environment.prefix
        self.root = f"{prefix}/" if prefix else ""
        self.bucket = spec.environment.bucket

    def policies(self) -> Iterator[Policy]:
        """Yield those for planning, deploying, pruning and starting."""
        name = self.spec.name
        for verb, who, purpose, statements in (
            ("plan", WHO_PLANS, "what comparing with the deployed pipeline reads", self.plan()),
            ("deploy", WHO_DEPLOYS, "what writing the pipeline needs", self.deploy()),
            ("prune", WHO_PRUNES, "deleting what is no longer defined", self.prune()),
            ("start", WHO_STARTS, "what executions need from outside", self.start()),
        ):
            yield Policy(f"{name}-{verb}", purpose, "permissions", who, tuple(statements))

    def plan(self) -> Iterator[Statement]:
        """Yield what comparing needs."""
        yield Statement("WhoAmI", ("sts:GetCallerIdentity",), ("*",))
        yield Statement(
            "SeePipeline",
            actions("sagemaker", "DescribePipeline", "ListPipelineVersions", "ListTags"),
            self.pipelines,
        )
        yield Statement("SeePipelines", ("sagemaker:ListPipelines",), ("*",))
        objects = [self.names.objects(self.bucket, f"{self.root}{part}/*") for part in _STORED]
        yield Statement("SeeObjects", ("s3:GetObject",), tuple(objects))
        # HeadBucket, and HeadObject where there is no such object, name no prefix: a condition on
        # s3:prefix would deny both.
        yield Statement("SeeBucket", ("s3:ListBucket",), (self.names.bucket(self.bucket),))
        yield from self._see_schedules()

    def deploy(self) -> Iterator[Statement]:
        """Yield what writing needs, beside what planning does."""
        yield Statement("WritePipeline", actions("sagemaker", *_WRITES), self.pipelines)
        role = (self.spec.environment.role,)
        to_sagemaker = {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}
        yield Statement("PassPipelineRole", ("iam:PassRole",), role, to_sagemaker)
        objects = [self.names.objects(self.bucket, f"{self.root}{part}/*") for part in _STORED]
        yield Statement("UploadObjects", ("s3:PutObject",), tuple(objects))
        group, schedules = self._schedules()
        gone = actions("scheduler", "DeleteSchedule")
        yield Statement("RemoveSchedules", gone, (schedules,))
        if not self.spec.schedules:
            return
        made = actions("scheduler", "CreateSchedule", "UpdateSchedule")
        yield Statement("WriteSchedules", made, (schedules,))
        more = actions("scheduler", "CreateScheduleGroup", "TagResource")
        yield Statement("WriteScheduleGroup", more, (group,))
        to_scheduler = {"StringEquals": {"iam:PassedToService": "scheduler.amazonaws.com"}}
        yield Statement("PassRoleToScheduler", ("iam:PassRole",), role, to_scheduler)

    def prune(self) -> Iterator[Statement]:
        """Yield what deleting this environment's other pipelines needs, known by their tags.

        SageMaker, Service Authorization Reference: a pipeline has the key `aws:ResourceTag`.
        """
        others = tuple(self.names.sagemaker("pipeline", ["*"]))
        ours = {"StringEquals": {f"aws:ResourceTag/{ENVIRONMENT}": self.spec.environment.name}}
        verbs = ("DeletePipeline", "DescribePipeline", "ListTags")
        yield Statement("PrunePipelines", actions("sagemaker", *verbs), others, ours)
        schedules = self.names.arn(
            "scheduler", f"schedule/sagedag-{self.spec.environment.name}-*/*"
        )
        gone = actions("scheduler", "DeleteSchedule", "GetSchedule")
        yield Statement("PruneSchedules", gone, (schedules,))

    def start(self) -> Iterator[Statement]:
        """Yield what starting, watching and stopping executions need."""
        executions = tuple(f"{arn}/execution/*" for arn in self.pipelines)
        yield Statement("WhoAmI", ("sts:GetCallerIdentity",), ("*",))
        yield Statement("SeePipelines", ("sagemaker:ListPipelines",), ("*",))
        yield Statement("StartPipeline", actions("sagemaker", *_STARTS), self.pipelines)
        yield Statement("WatchExecutions", actions("sagemaker", *_WATCHES), executions)
        groups = [self.names.arn("logs", "log-group:/aws/sagemaker/*")]
        if any(step.kind.api_type == "Lambda" for step in self.spec.walk()):
            groups.append(self.names.arn("logs", "log-group:/aws/lambda/*"))
        verbs = ("DescribeLogStreams", "FilterLogEvents", "GetLogEvents")
        yield Statement("ReadLogs", actions("logs", *verbs), tuple(groups))
        yield from self._see_schedules()
        jobs = tuple(self.names.sagemaker("training-job", ["*"]))
        yield Statement("SeeMetrics", ("sagemaker:DescribeTrainingJob",), jobs)

    def _see_schedules(self) -> Iterator[Statement]:
        group, schedules = self._schedules()
        yield Statement("SeeSchedules", ("scheduler:GetSchedule",), (schedules,))
        yield Statement("SeeScheduleGroup", ("scheduler:GetScheduleGroup",), (group,))
        yield Statement("ListSchedules", ("scheduler:ListSchedules",), ("*",))

    def _schedules(self) -> tuple[str, str]:
        """Return the ARNs of the group of schedules and of this pipeline's in it.

        The group's name ends in a mark of the repository, a long schedule's in one of its name.
        """
        group = f"sagedag-{self.spec.environment.name}-*"
        return (
            self.names.arn("scheduler", f"schedule-group/{group}"),
            self.names.arn("scheduler", f"schedule/{group}/{self.spec.name[:55]}*"),
        )


_WRITES = (
    "AddTags",
    "CreatePipeline",
    "DeletePipeline",
    "DeleteTags",
    "UpdatePipeline",
    "UpdatePipelineVersion",
)
_STARTS = (
    "DescribePipeline",
    "ListPipelineExecutions",
    "ListPipelineVersions",
    "ListTags",
    "StartPipelineExecution",
)
_WATCHES = (
    "DescribePipelineDefinitionForExecution",
    "DescribePipelineExecution",
    "ListPipelineExecutionSteps",
    "ListPipelineParametersForExecution",
    "RetryPipelineExecution",
    "StopPipelineExecution",
)
_STORED = ("assets", "definitions")
"""Folders below the environment's prefix: code, and definitions too long for a request."""


def trust_policies(spec: PipelineSpec, by_role: dict[str, JobNeeds]) -> Iterator[Policy]:
    """Yield whom each role must trust."""
    services: dict[str, dict[str, None]] = {}
    own = spec.environment.role
    services.setdefault(own, {})["sagemaker.amazonaws.com"] = None
    if spec.schedules:
        services[own]["scheduler.amazonaws.com"] = None
    for role, needs in by_role.items():
        services.setdefault(role, {}).update(needs.services)
    names = Names(spec.environment)
    account = spec.environment.account
    for number, (role, trusted) in enumerate(services.items()):
        statements = []
        for service in trusted:
            short = service.split(".")[0]
            conditions: dict[str, dict[str, str]] = {}
            if account:
                conditions["StringEquals"] = {"aws:SourceAccount": account}
            if service == "sagemaker.amazonaws.com":
                conditions["ArnLike"] = {"aws:SourceArn": names.arn("sagemaker", "*")}
            sid = "Trust" + "".join(part.title() for part in short.split("-"))
            who = {"Service": service}
            statements.append(Statement(sid, ("sts:AssumeRole",), (), conditions, who))
        name = f"{spec.name}-trust" if not number else f"{spec.name}-trust-{role_name(role)}"
        yield Policy(name, "who may assume the role", "trust", role, tuple(statements))


def role_name(arn: str) -> str:
    """Return a role's name, fit for the name of a policy."""
    return arn.rsplit("/", 1)[-1].replace("*", "any")

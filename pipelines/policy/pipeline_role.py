"""The policy of the pipeline's own role: it starts, watches and stops what the steps are.

Sources: Amazon SageMaker Developer Guide, "IAM Access Management" (Pipelines): create and describe
permissions for each job type, PassRole for each job's role, S3 for JsonGet; Service Authorization
Reference, "Actions, resources, and condition keys for Amazon SageMaker": which ARNs each action
takes; "AmazonSageMakerPipelinesIntegrations": Lambda, SQS, EMR, and the rules of EventBridge.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pipelines.language.requests import Program, walk_requests
from pipelines.policy.model import Policy, Statement, actions
from pipelines.policy.names import Names, s3_parts
from pipelines.policy.needs import Gatherer, leaves, property_file_reads
from pipelines.policy.values import Values
from steps._contract import StepRequest

JOB_NAMES = "pipelines-*"
"""[U] How the names begin that the service gives to what steps create: ``pipelines-`` with the
execution's id and the step's name, as its documentation's examples show."""


@dataclass(frozen=True)
class Grant:
    """What a step of some type lets the pipeline do.

    Args:
        sid: the statement's name.
        verbs: SageMaker's actions, without the service.
        kind: the resource type in the ARN.
        named: the argument with the resource's name, where the step chooses it.
        fixed: how names begin that the step does not choose.
        where: the argument without which nothing of the kind is made; empty: always.
    """

    sid: str
    verbs: tuple[str, ...]
    kind: str
    named: str = ""
    fixed: str = JOB_NAMES
    where: str = ""

    def applies_to(self, step: StepRequest) -> bool:
        """Say whether a step makes or changes something of this kind."""
        return not self.where or bool(step.arguments.get(self.where))


def _job(kind: str, arn: str, *more: str, fixed: str = JOB_NAMES) -> Grant:
    verbs = (f"Create{kind}", f"Describe{kind}", f"Stop{kind}", *more)
    return Grant(f"{kind}s", verbs, arn, fixed=fixed)


def _entity(kind: str) -> Grant:
    verbs = ("AddAssociation", f"Create{kind}", f"Describe{kind}")
    return Grant(f"{kind}s", verbs, kind.lower(), fixed="*", where=f"{kind}s")


_PROCESSING = _job("ProcessingJob", "processing-job")
_MODELS = Grant("Models", ("CreateModel", "DescribeModel"), "model", "ModelName")
GRANTS: Mapping[str, tuple[Grant, ...]] = {
    "Processing": (_PROCESSING,),
    "QualityCheck": (_PROCESSING,),
    "ClarifyCheck": (_PROCESSING,),
    "Training": (_job("TrainingJob", "training-job"),),
    "Tuning": (
        _job(
            "HyperParameterTuningJob",
            "hyper-parameter-tuning-job",
            "ListTrainingJobsForHyperParameterTuningJob",
            fixed="*",
        ),
        # The best job's model is read from its training job, which the tuning job has named.
        Grant("TunedJobs", ("DescribeTrainingJob",), "training-job", fixed="*"),
    ),
    "Transform": (_job("TransformJob", "transform-job"),),
    "AutoML": (_job("AutoMLJob", "automl-job", fixed="*"),),
    "Job": (Grant("Jobs", ("CreateJob", "DescribeJob", "StopJob"), "job", fixed="*"),),
    "Model": (_MODELS,),
    "EndpointConfig": (
        Grant(
            "EndpointConfigs",
            ("CreateEndpointConfig", "DescribeEndpointConfig"),
            "endpoint-config",
            "EndpointConfigName",
        ),
    ),
    "Endpoint": (
        Grant(
            "Endpoints",
            ("CreateEndpoint", "DescribeEndpoint", "UpdateEndpoint"),
            "endpoint",
            "EndpointName",
        ),
        Grant(
            "ConfigsOfEndpoints",
            ("CreateEndpoint", "DescribeEndpointConfig", "UpdateEndpoint"),
            "endpoint-config",
            "EndpointConfigName",
        ),
    ),
    "InferenceComponent": (
        Grant(
            "InferenceComponents",
            (
                "CreateInferenceComponent",
                "DescribeInferenceComponent",
                "UpdateInferenceComponent",
                "UpdateInferenceComponentRuntimeConfig",
            ),
            "inference-component",
            "InferenceComponentName",
        ),
        Grant(
            "EndpointsOfComponents",
            ("CreateInferenceComponent", "DescribeEndpoint"),
            "endpoint",
            "EndpointName",
        ),
    ),
    "Lineage": (
        _entity("Action"),
        _entity("Artifact"),
        _entity("Context"),
    ),
}
"""What the types of steps need, but for those that are not SageMaker's own."""


def pipeline_policy(name: str, program: Program, values: Values, gatherer: Gatherer) -> Policy:
    """Return what the pipeline itself does."""
    return Policy(
        name,
        "what the pipeline itself does: start, watch and stop its steps",
        "permissions",
        program.spec.environment.role,
        tuple(_Pipeline(program, values, gatherer).statements()),
    )


class _Pipeline:
    def __init__(self, program: Program, values: Values, gatherer: Gatherer) -> None:
        self.spec = program.spec
        self.values, self.gatherer = values, gatherer
        self.names = Names(program.spec.environment)
        self.steps = walk_requests(program.steps)

    def statements(self) -> Iterator[Statement]:
        """Yield them in the order in which people read them."""
        yield from self._creations()
        yield from self._registrations()
        yield from self._roles()
        yield from self._functions()
        yield from self._emr()
        yield from self._emr_serverless()
        yield from self._objects()
        yield from self._experiment()
        if self.spec.schedules:
            arns = self.names.sagemaker("pipeline", [self.spec.name])
            # EventBridge Scheduler starts the pipeline with the pipeline's own role.
            yield Statement("StartBySchedule", ("sagemaker:StartPipelineExecution",), tuple(arns))

    def of_type(self, *types: str) -> list[StepRequest]:
        return [step for step in self.steps if step.type in types]

    def _creations(self) -> Iterator[Statement]:
        found: dict[str, tuple[Grant, dict[str, None]]] = {}
        for step in self.steps:
            for grant in GRANTS.get(step.type, ()):
                if grant.applies_to(step):
                    _, arns = found.setdefault(grant.sid, (grant, {}))
                    arns.update(dict.fromkeys(self._arns(step, grant)))
        for sid, (grant, arns) in found.items():
            # The service tags what a pipeline creates with the execution's ARN.
            yield Statement(sid, actions("sagemaker", *grant.verbs, "AddTags"), tuple(arns))

    def _arns(self, step: StepRequest, grant: Grant) -> list[str]:
        chosen = step.arguments.get(grant.named) if grant.named else None
        names = [grant.fixed] if chosen is None else list(self.values.texts(chosen))
        return self.names.sagemaker(grant.kind, names)

    def _registrations(self) -> Iterator[Statement]:
        groups = dict.fromkeys(
            text
            for step in self.of_type("RegisterModel")
            for text in self.values.texts(step.arguments.get("ModelPackageGroupName"))
        )
        if not groups:
            return
        arns = self.names.sagemaker("model-package-group", groups)
        verbs = ("CreateModelPackageGroup", "DescribeModelPackageGroup", "AddTags")
        yield Statement("ModelGroups", actions("sagemaker", *verbs), tuple(arns))
        arns += self.names.sagemaker("model-package", (f"{group}/*" for group in groups))
        verbs = ("CreateModelPackage", "DescribeModelPackage", "AddTags")
        yield Statement("ModelVersions", actions("sagemaker", *verbs), tuple(arns))

    def _roles(self) -> Iterator[Statement]:
        """Yield PassRole on exactly the roles that steps are given, each to its service alone."""
        passed: dict[str, dict[str, None]] = {}
        for step in self.steps:
            if step.type == "Transform":
                continue  # its role is the model's, which was passed before
            service = {
                "EMR": "elasticmapreduce.amazonaws.com",
                "EMRServerless": "emr-serverless.amazonaws.com",
            }.get(step.type, "sagemaker.amazonaws.com")
            passed.setdefault(service, {}).update(dict.fromkeys(self.gatherer.roles(step)))
            cluster = step.arguments.get("ClusterConfig")
            if step.type == "EMR" and isinstance(cluster, Mapping):
                for member, service in (
                    ("ServiceRole", "elasticmapreduce.amazonaws.com"),
                    ("AutoScalingRole", "application-autoscaling.amazonaws.com"),
                    ("JobFlowRole", "ec2.amazonaws.com"),
                ):
                    for text in self.values.texts(cluster.get(member, "")):
                        if text:
                            passed.setdefault(service, {})[self.names.role(text)] = None
        for service, roles in sorted(passed.items()):
            if roles:
                sid = "PassRolesTo" + "".join(p.title() for p in service.split(".")[0].split("-"))
                to = {"StringEquals": {"iam:PassedToService": service}}
                yield Statement(sid, ("iam:PassRole",), tuple(roles), to)

    def _functions(self) -> Iterator[Statement]:
        functions = self._members("Lambda", "FunctionArn")
        if functions:
            # A step may name a version or an alias, or none.
            arns = tuple(
                f if f != "*" else self.names.arn("lambda", "function:*") for f in functions
            )
            yield Statement("CallFunctions", ("lambda:InvokeFunction",), arns)
        queues = self._members("Callback", "SqsQueueUrl")
        if queues:
            arns = tuple(self.names.queue(url) for url in queues)
            yield Statement("SendMessages", ("sqs:SendMessage",), arns)

    def _members(self, type_: str, member: str) -> tuple[str, ...]:
        found = (self.values.texts(step.members.get(member)) for step in self.of_type(type_))
        return tuple(dict.fromkeys(text for texts in found for text in texts))

    def _emr(self) -> Iterator[Statement]:
        """Yield what EMR steps need; the names of EventBridge's rules are the managed policy's."""
        steps = self.of_type("EMR")
        if not steps:
            return
        ids = [t for s in steps for t in self.values.texts(s.arguments.get("ClusterId", "*"))]
        clusters = tuple(self.names.arn("elasticmapreduce", f"cluster/{each}") for each in ids)
        verbs = ("AddJobFlowSteps", "CancelSteps", "DescribeCluster", "DescribeStep")
        yield Statement("EmrSteps", actions("elasticmapreduce", *verbs), clusters)
        if any("ClusterConfig" in step.arguments for step in steps):
            made = actions("elasticmapreduce", "AddTags", "RunJobFlow", "TerminateJobFlows")
            every = (self.names.arn("elasticmapreduce", "cluster/*"),)
            yield Statement("EmrClusters", made, every)
        rules = ("EMRStepStatusUpdateRule", "EMRClusterStatusUpdateRule")
        yield self._rules("EmrEvents", (f"SageMakerPipelineExecution{rule}" for rule in rules))

    def _emr_serverless(self) -> Iterator[Statement]:
        """Yield what EMR Serverless steps need.

        [U] The name of EventBridge's rule is documented for EMR alone; here all that begin alike.
        """
        steps = self.of_type("EMRServerless")
        if not steps:
            return
        ids = [t for s in steps for t in self.values.texts(s.arguments.get("ApplicationId", "*"))]
        applications = {self.names.arn("emr-serverless", f"/applications/{i}") for i in ids}
        runs = {f"{arn}/jobruns/*" for arn in applications}
        verbs = ("CancelJobRun", "GetApplication", "GetJobRun", "StartApplication", "StartJobRun")
        resources = tuple(sorted(applications | runs))
        yield Statement("ServerlessRuns", actions("emr-serverless", *verbs), resources)
        if any("ApplicationConfig" in step.arguments for step in steps):
            more = ("CreateApplication", "DeleteApplication", "StopApplication", "TagResource")
            every = (self.names.arn("emr-serverless", "/*"),)
            yield Statement("ServerlessApps", actions("emr-serverless", *more), every)
        yield self._rules("ServerlessEvents", ("SageMakerPipelineExecutionEMRServerless*",))

    def _rules(self, sid: str, names: Iterable[str]) -> Statement:
        arns = tuple(self.names.arn("events", f"rule/{name}") for name in names)
        return Statement(sid, actions("events", "DescribeRule", "PutRule", "PutTargets"), arns)

    def _objects(self) -> Iterator[Statement]:
        reads = dict.fromkeys(property_file_reads(self.values, self.names))
        for step in self.of_type("RegisterModel"):
            for path, value in leaves(step.arguments):
                if "Url" in str(path[-1]) or "S3Uri" in str(path[-1]):
                    reads.update(self._object_arns(value))
        if reads:
            yield Statement("ReadReports", ("s3:GetObject",), tuple(reads))
        removed: dict[str, None] = {}
        for step in self.of_type("Cleanup"):
            for _, value in leaves(step.arguments):
                removed.update(self._object_arns(value, "*"))
        if removed:
            yield Statement("RemoveObjects", ("s3:DeleteObject",), tuple(removed))
            buckets = {arn.rsplit(":::", 1)[1].split("/")[0] for arn in removed}
            arns = tuple(self.names.bucket(bucket) for bucket in sorted(buckets))
            yield Statement("ListForRemoval", ("s3:ListBucket",), arns)

    def _object_arns(self, value: Any, tail: str = "") -> dict[str, None]:
        if value is None:
            return {}
        found = [s3_parts(text) for text in self.values.texts(value) if text != "*"]
        return {self.names.objects(p[0], p[1] + tail): None for p in found if p is not None}

    def _experiment(self) -> Iterator[Statement]:
        """Yield what ``experiment`` needs: CreateExperiment, CreateTrial, and their components."""
        if self.spec.experiment is not None:
            names = self.values.texts(self.spec.experiment.get("ExperimentName"))
            if names == ("*",):
                names = (self.spec.name,)
            arns = self.names.sagemaker("experiment", names)
            arns += self.names.sagemaker("experiment-trial", ["*"])
            arns += self.names.sagemaker("experiment-trial-component", ["*"])
            yield Statement("Experiment", actions("sagemaker", *_TRACKING), tuple(arns))
        if self.spec.mlflow and self.spec.mlflow.get("arn"):
            server = (str(self.spec.mlflow["arn"]),)
            yield Statement("TrackRuns", actions("sagemaker-mlflow", *_MLFLOW), server)


_TRACKING = (
    "AddTags",
    "AssociateTrialComponent",
    "CreateExperiment",
    "CreateTrial",
    "CreateTrialComponent",
    "DescribeExperiment",
    "DescribeTrial",
    "DescribeTrialComponent",
    "UpdateTrialComponent",
)
_MLFLOW = (
    "CreateExperiment",
    "CreateRun",
    "GetExperimentByName",
    "GetRun",
    "LogBatch",
    "LogMetric",
    "LogParam",
    "SetTag",
    "UpdateRun",
)
"""Service Authorization Reference, "Actions … for Amazon SageMaker with MLflow"."""

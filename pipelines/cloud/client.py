"""The only door to boto3: who we are, where we call, and every call.

::

    place = Place(environment="dev", account="111122223333", region="us-east-1")
    clients = connect(place)
    clients.check_account()                     # before anything is written
    answer = clients.call("sagemaker:DescribePipeline", "pipeline pulsar", PipelineName="pulsar")
    for each in clients.pages("sagemaker:ListPipelines", "pipelines", "PipelineSummaries"):
        …

Calls raise the errors of :mod:`pipelines.cloud.refusals` and nothing of botocore's.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from pipelines.cloud.answers import check_answer
from pipelines.cloud.redaction import redact, remember
from pipelines.cloud.refusals import Surroundings, Unsupported, calling
from pipelines.cloud.waiting import Tell, Waiting
from pipelines.errors import AwsError, UsageError

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})

CONNECT_SECONDS = 10
READ_SECONDS = 30
ATTEMPTS = 6
"""How often a call is tried; AWS_MAX_ATTEMPTS says otherwise."""
PARALLEL = 12
"""How many calls are under way at once, at most."""

_OWN_CREDENTIALS = (
    "AWS_PROFILE",
    "AWS_ACCESS_KEY_ID",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
)
"""The user's own variables; they go before the `profile` of a committed file, as in CI."""


@dataclass(frozen=True)
class Place:
    """Where an environment lives on AWS, as ``environments.yaml`` says.

    Args:
        environment: its name.
        account: the account that the credentials must belong to; empty: any.
        region: its region.
        profile: the profile that the file names.
        endpoint_url: another endpoint that the file names; loopback only.
        bucket, prefix: where assets and big definitions go.
        local: it is the environment of the local runner, which has no AWS.
    """

    environment: str
    account: str = ""
    region: str = ""
    profile: str = ""
    endpoint_url: str = ""
    bucket: str = ""
    prefix: str = ""
    local: bool = False

    @property
    def root(self) -> str:
        """The S3 prefix below which everything of the environment lies, without a slash."""
        return f"s3://{self.bucket}/{self.prefix}" if self.prefix else f"s3://{self.bucket}"


@dataclass(frozen=True)
class Identity:
    """Who the credentials belong to."""

    account: str
    arn: str


@dataclass
class Clients:
    """AWS as one environment sees it. Made by :func:`connect`; safe to use from several threads.

    Args:
        place: the environment.
        session: a boto3 session.
        endpoint: the endpoint given to boto3; empty for AWS's own or that of the user's variables.
        tell: gets a line for every call (``--debug``): what, how it ended, how long it took. Never
            headers, bodies or credentials.
        waiting: follows calls under way.
    """

    place: Place
    session: Any = field(repr=False)
    endpoint: str = ""
    tell: Tell | None = field(default=None, repr=False)
    waiting: Waiting = field(default_factory=Waiting, repr=False)
    _made: dict[str, Any] = field(default_factory=dict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def client(self, service: str) -> Any:
        """Return the boto3 client of a service, made when it is first asked for.

        For what :meth:`call` and :meth:`pages` do not cover; wrap its calls in :meth:`calling`.

        Raises:
            Refused: there is no region, or the endpoint is none.
        """
        with self._lock:
            if service not in self._made:
                with self.calling(f"{service}:connect", self.place.environment):
                    self._made[service] = self._make(service)
            return self._made[service]

    @property
    def sagemaker(self) -> Any:
        """SageMaker's client."""
        return self.client("sagemaker")

    @property
    def s3(self) -> Any:
        """S3's client."""
        return self.client("s3")

    @property
    def sts(self) -> Any:
        """STS's client."""
        return self.client("sts")

    @property
    def scheduler(self) -> Any:
        """EventBridge Scheduler's client."""
        return self.client("scheduler")

    @property
    def logs(self) -> Any:
        """CloudWatch Logs' client."""
        return self.client("logs")

    @property
    def cloudwatch(self) -> Any:
        """CloudWatch's client."""
        return self.client("cloudwatch")

    def call(self, operation: str, resource: str, /, **request: Any) -> dict[str, Any]:
        """Make one call and return its answer.

        Args:
            operation: ``service:Operation`` in the API's spelling, ``sagemaker:DescribePipeline``.
            resource: what it is about, for messages.
            request: the request's members in the API's spelling.

        Raises:
            Missing, Conflict, Invalid, Unsupported, Refused: see :func:`refusals.calling`.
        """
        service, _, name = operation.partition(":")
        started = time.monotonic()
        outcome = "failed"
        try:
            with self.calling(operation, resource):
                method = self._method(service, name, resource)
                with self.waiting.following(operation, resource, _most_tries()):
                    answer: dict[str, Any] = method(**request)
            outcome = "ok"
        except AwsError as error:
            outcome = str(getattr(error, "code", "")) or outcome
            raise
        finally:
            self._log(operation, resource, outcome, started)
        return answer

    def pages(
        self, operation: str, resource: str, member: str, /, **request: Any
    ) -> Iterator[Mapping[str, Any]]:
        """Yield the items of a call that answers in pages.

        Args:
            operation: ``service:Operation``.
            resource: what it is about, for messages.
            member: the answer's member that holds the items.
            request: the request's members.

        Raises:
            Refused: see :func:`refusals.calling`; after items of earlier pages, perhaps.
        """
        asked, given = ("nextToken",) * 2 if operation.startswith("logs:") else ("NextToken",) * 2
        if operation == "s3:ListObjectsV2":
            asked, given = "ContinuationToken", "NextContinuationToken"
        token: str | None = None
        while True:
            more = {asked: token} if token else {}
            answer = self.call(operation, resource, **request, **more)
            yield from answer.get(member, [])
            following = answer.get(given)
            # A service that gives the same token again would be asked forever.
            if not following or following == token:
                return
            token = following

    def calling(self, operation: str, resource: str = "") -> Any:
        """Return the context in which a boto3 client's own call is made: see ``refusals``."""
        return calling(operation, resource, self.surroundings)

    @cached_property
    def surroundings(self) -> Surroundings:
        """What messages may name."""
        profile = getattr(self.session, "profile_name", "") or ""
        region = getattr(self.session, "region_name", "") or ""
        shown = redact(self.endpoint or os.environ.get("AWS_ENDPOINT_URL", ""))
        return Surroundings("" if profile == "default" else profile, region, shown)

    @cached_property
    def identity(self) -> Identity:
        """Who the credentials belong to (``sts:GetCallerIdentity``, asked once)."""
        answer = self.call("sts:GetCallerIdentity", "credentials")
        # They have been fetched now, whoever gave them: from here on they are known by heart.
        found = self.session.get_credentials()
        if found is not None:
            frozen = found.get_frozen_credentials()
            remember(frozen.secret_key, frozen.token)
        return Identity(str(answer.get("Account", "")), str(answer.get("Arn", "")))

    @property
    def region(self) -> str:
        """The region that calls go to."""
        return str(getattr(self.session, "region_name", "") or self.place.region)

    def check_account(self) -> Identity:
        """Refuse where the credentials are not the environment's account's.

        Call it before anything is compared or written: a plan against the wrong account would say
        nonsense, a write would do it.

        Raises:
            AwsError: they belong to another account.
            Refused: they could not be asked about.
        """
        wanted, found = self.place.account, self.identity
        if wanted and found.account != wanted:
            raise AwsError(
                f"these credentials belong to account {found.account}, but the environment "
                f"`{self.place.environment}` is account {wanted}; nothing was read or written",
                f"choose the right ones with --profile or AWS_PROFILE (now: {found.arn}), or "
                "another --env",
            )
        return found

    def _method(self, service: str, name: str, resource: str) -> Callable[..., dict[str, Any]]:
        from botocore import xform_name

        client = self.client(service)
        method = getattr(client, xform_name(name), None)
        if method is None:
            raise Unsupported(
                f"{service}:{name} ({resource}): the installed botocore does not know this call",
                "pip install -U boto3",
                operation=f"{service}:{name}",
                resource=resource,
                code="UnknownOperation",
            )
        made: Callable[..., dict[str, Any]] = method
        return made

    def _make(self, service: str) -> Any:
        from botocore.config import Config

        settings: dict[str, Any] = {
            "connect_timeout": CONNECT_SECONDS,
            "read_timeout": READ_SECONDS,
            "max_pool_connections": PARALLEL + 4,
            "user_agent_extra": "sagedag",
        }
        # What the user's own variables say about retries goes before our choice.
        retries: dict[str, Any] = {}
        if not os.environ.get("AWS_RETRY_MODE"):
            retries["mode"] = "standard"
        if not os.environ.get("AWS_MAX_ATTEMPTS"):
            retries["total_max_attempts"] = ATTEMPTS
        if retries:
            settings["retries"] = retries
        if service == "s3" and is_loopback(self.endpoint or os.environ.get("AWS_ENDPOINT_URL", "")):
            # `bucket.localhost` is no host that every machine resolves.
            settings["s3"] = {"addressing_style": "path"}
        made = self.session.client(
            service, endpoint_url=self.endpoint or None, config=Config(**settings)
        )
        made.meta.events.register("before-parse", check_answer, "sagedag")
        made.meta.events.register("before-send", self.waiting.sent, "sagedag-waiting")
        return made

    def _log(self, operation: str, resource: str, outcome: str, started: float) -> None:
        if self.tell is not None:
            milliseconds = (time.monotonic() - started) * 1000
            line = f"aws {operation} ({resource}) {outcome} {milliseconds:.0f} ms"
            self.tell(redact(line))


def connect(
    place: Place,
    *,
    profile: str | None = None,
    region: str | None = None,
    tell: Tell | None = None,
    notice: Tell | None = None,
) -> Clients:
    """Return AWS as an environment sees it; nothing is called yet.

    Args:
        place: the environment.
        profile: the profile that the command line names; else AWS_PROFILE or credentials of the
            user's variables, else the environment's.
        region: the region that the command line names, for commands that need no definition; else
            the environment's, else the user's variables.
        tell: gets a line for every call, and each of its tries but the first.
        notice: gets a line where AWS is silent for some seconds.

    Raises:
        UsageError: the environment is the local runner's; its endpoint is not loopback.
        Refused: the profile does not exist.
    """
    if place.local:
        raise UsageError(
            f"the environment `{place.environment}` is the local runner's: it has no AWS account",
            "name another with --env or SAGEDAG_ENV; environments.yaml says which there are",
        )
    if place.endpoint_url and not is_loopback(place.endpoint_url):
        raise UsageError(
            f"the environment `{place.environment}` names the endpoint "
            f"{redact(place.endpoint_url)}, which is no loopback address",
            "a committed file may name loopback endpoints only; set AWS_ENDPOINT_URL in your own "
            "shell for others",
        )
    own = any(os.environ.get(name) for name in _OWN_CREDENTIALS)
    chosen = profile or ("" if own else place.profile)
    around = Surroundings(chosen, region or place.region, place.endpoint_url)
    with calling("connect", f"environment {place.environment}", around):
        import boto3

        session = boto3.Session(
            profile_name=chosen or None, region_name=region or place.region or None
        )
        _hide(session)
    # The user's own variable goes before the file's.
    endpoint = "" if os.environ.get("AWS_ENDPOINT_URL") else place.endpoint_url
    there = replace(place, region=region or place.region)
    return Clients(there, session, endpoint, tell, Waiting(tell and _redacting(tell), notice))


def _redacting(tell: Tell) -> Tell:
    return lambda line: tell(redact(line))


def _most_tries() -> int:
    given = os.environ.get("AWS_MAX_ATTEMPTS", "")
    return int(given) if given.isdigit() else ATTEMPTS


def is_loopback(endpoint: str) -> bool:
    """Say whether an endpoint is on this machine."""
    try:
        return (urlsplit(endpoint).hostname or "") in LOOPBACK
    except ValueError:
        return False


def _hide(session: Any) -> None:
    """Remember the secrets that are known without asking anybody, so that none is printed."""
    remember(
        *(
            os.environ.get(name)
            for name in (
                "AWS_SECRET_ACCESS_KEY",
                "AWS_SESSION_TOKEN",
                "AWS_SECURITY_TOKEN",
                "AWS_CONTAINER_AUTHORIZATION_TOKEN",
            )
        )
    )
    core = getattr(session, "_session", None)
    if core is None:
        return
    for found in (core.get_scoped_config(), *core.full_config.get("profiles", {}).values()):
        remember(found.get("aws_secret_access_key"), found.get("aws_session_token"))

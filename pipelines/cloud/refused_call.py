"""A call that went wrong, and how its errors are told."""

from __future__ import annotations

from dataclasses import dataclass

from pipelines.cloud.redaction import redact
from pipelines.cloud.refusals import Conflict, Refused, Surroundings


@dataclass(frozen=True)
class RefusedCall:
    """What was called, about what, from where."""

    operation: str
    resource: str
    around: Surroundings

    @property
    def action(self) -> str:
        """The IAM action that the call needs: S3's differ from its operations' names."""
        return _ACTIONS.get(self.operation, self.operation)

    @property
    def bucket(self) -> str:
        """The bucket that the call is about; empty where it is about none."""
        found = self.resource.partition("s3://")[2]
        return found.partition("/")[0]

    @property
    def login(self) -> str:
        """The command that logs in anew."""
        profile = self.around.profile
        return f"aws sso login --profile {profile}" if profile else "aws sso login"

    def title(self, what: str) -> str:
        """Return a message that names the call and what it is about, without credentials."""
        of = f" ({self.resource})" if self.resource else ""
        return redact(f"{self.operation}{of}: {what}")

    def refused(
        self, code: str, what: str, hint: str, kind: type[Refused] = Refused, detail: str = ""
    ) -> Refused:
        """Return the refusal (exit 4); ``detail`` is the service's own message."""
        return kind(
            self.title(what),
            hint,
            operation=self.operation,
            resource=self.resource,
            code=code,
            detail=detail or what,
        )

    def conflict(self, what: str, hint: str) -> Conflict:
        """Return that somebody else changed it (exit 6)."""
        return Conflict(self.title(what), hint, operation=self.operation, resource=self.resource)


_ACTIONS = {
    "s3:HeadObject": "s3:GetObject",
    "s3:HeadBucket": "s3:ListBucket",
    "s3:ListObjectsV2": "s3:ListBucket",
}

"""Why access was denied, and what allows it: identities, roles, keys, buckets.

Sources: IAM User Guide, "Access denied error messages"; S3 User Guide, "Troubleshoot access denied
errors"; SageMaker and KMS developer guides on encrypted buckets.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pipelines.cloud.refused_call import RefusedCall
from pipelines.errors import SagedagError

_NOT_AUTHORIZED = re.compile(r"not authorized to perform:?\s*([a-z0-9-]+:[A-Za-z0-9]+)")
_ON_RESOURCE = re.compile(r"on resource:?\s*(\S+)")


def read_denial(
    call: RefusedCall, code: str, told: str, response: Mapping[str, Any]
) -> SagedagError:
    """Return the refusal of a call that was denied."""
    del response
    named = _NOT_AUTHORIZED.search(told)
    action = named.group(1) if named else call.action
    target = _ON_RESOURCE.search(told)
    where = " on " + target.group(1).rstrip(".").strip("\"'") if target else ""
    if action == "iam:PassRole":
        hint = (
            f"allow iam:PassRole{where} to who deploys (condition iam:PassedToService: "
            "sagemaker.amazonaws.com), or name another `role` in environments.yaml"
        )
    elif action.startswith("kms:") or (not named and "kms" in told.lower()):
        hint = (
            f"the bucket `{call.bucket}` encrypts with a KMS key: allow kms:GenerateDataKey and "
            f"kms:Decrypt{where} to the identity that runs this, in its own policy and in the key's"
        )
    else:
        hint = f"allow the action {action}{where} to the identity that runs this"
        if call.operation == "s3:PutObject":
            hint += "; " + _upload(call, told)
        elif action.startswith("s3:"):
            hint += ", and see that the bucket's policy and its KMS key do"
    if "explicit deny" in told:
        hint += "; a policy denies it explicitly, which no permission overrides"
    if call.operation == "s3:HeadObject":
        hint += "; without s3:ListBucket S3 answers so for what does not exist, too"
    return call.refused(
        code, f"access denied to {action}" + (f": {told}" if told else ""), hint, detail=told
    )


def _upload(call: RefusedCall, told: str) -> str:
    bucket = f"the bucket's policy (`aws s3api get-bucket-policy --bucket {call.bucket}`)"
    demand = (
        "a condition on s3:x-amz-server-side-encryption is met by no upload from here: take it "
        "out, the bucket's default encryption does the same"
    )
    if "resource-based policy" in told:
        return f"{bucket} denies it: {demand}; it may also want another network (aws:SourceVpce)"
    return f"or {bucket} denies it: {demand}"

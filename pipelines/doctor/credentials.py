"""Where AWS credentials would come from: by variables and files alone, values never kept.

The order is botocore's (`create_credential_resolver` in botocore/credentials.py). Instance and
container metadata are network addresses and are not asked.
"""

from __future__ import annotations

import configparser
import os
from collections.abc import Mapping
from pathlib import Path

from pipelines.doctor.model import Finding

_NEEDED = "only deploying needs them"
_KEY, _SECRET = "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"
_MAX_BYTES = 1 << 20

Profile = Mapping[str, str]


def check_credentials(environment: Mapping[str, str] | None = None) -> list[Finding]:
    """Say which source of credentials AWS calls would use here, and which region.

    Args:
        environment: the variables to go by; by default this process's.
    """
    variables = os.environ if environment is None else environment
    profiles, unreadable = read_profiles(variables)
    return [
        _credentials(variables, profiles, unreadable),
        _region(variables, profiles),
    ]


def _credentials(
    variables: Mapping[str, str], profiles: Mapping[str, Profile], unreadable: str
) -> Finding:
    name, chosen = _profile_name(variables)
    if unreadable:
        return _broken(unreadable, "mend the file; its form is that of `aws configure`")
    if chosen and name not in profiles:
        known = ", ".join(sorted(profiles)) or "none"
        return _broken(
            f"AWS_PROFILE is `{name}`, which no file has",
            f"unset AWS_PROFILE, or take one of: {known}",
        )
    has_key, has_secret = bool(variables.get(_KEY)), bool(variables.get(_SECRET))
    if has_key and has_secret:
        kind = "temporary" if variables.get("AWS_SESSION_TOKEN") else "long-lived"
        return _works(f"{kind} keys in the environment ({_KEY})")
    if has_key or has_secret:
        there, missing = (_KEY, _SECRET) if has_key else (_SECRET, _KEY)
        return _broken(f"{there} is set without {missing}", "set both, or neither")
    kind = _kind(profiles.get(name, {}))
    if kind:
        return _works(f"{kind} of the profile `{name}`")
    if variables.get("AWS_WEB_IDENTITY_TOKEN_FILE") and variables.get("AWS_ROLE_ARN"):
        return _works("a web identity token (AWS_WEB_IDENTITY_TOKEN_FILE)")
    for variable in (
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    ):
        if variables.get(variable):
            return _works(f"the container's ({variable}); not asked")
    return Finding(
        "credentials",
        "AWS credentials",
        "absent",
        f"none in variables and files; {_NEEDED}",
        "aws configure sso, or set AWS_PROFILE",
    )


def _kind(profile: Profile) -> str:
    """Return what a profile gets its credentials from; empty where it has none."""
    if "role_arn" in profile:
        return "the assumed role"
    if "web_identity_token_file" in profile:
        return "the web identity"
    if "sso_session" in profile or "sso_start_url" in profile:
        return "single sign-on"
    if "aws_access_key_id" in profile and "aws_secret_access_key" in profile:
        return "the keys"
    if "credential_process" in profile:
        return "the credential process"
    return ""


def _region(variables: Mapping[str, str], profiles: Mapping[str, Profile]) -> Finding:
    name, _ = _profile_name(variables)
    # boto3 reads AWS_DEFAULT_REGION alone; environments.yaml says the region of a deployment.
    if region := variables.get("AWS_DEFAULT_REGION"):
        return Finding("region", "AWS region", "works", f"{region} (AWS_DEFAULT_REGION)")
    if region := profiles.get(name, {}).get("region"):
        return Finding("region", "AWS region", "works", f"{region} (profile `{name}`)")
    detail = "none set here; definitions take theirs from environments.yaml"
    return Finding("region", "AWS region", "absent", detail)


def _profile_name(variables: Mapping[str, str]) -> tuple[str, bool]:
    """Return the profile's name and whether the user chose it."""
    # botocore/configprovider.py: ['AWS_DEFAULT_PROFILE', 'AWS_PROFILE'], the first one wins.
    chosen = variables.get("AWS_DEFAULT_PROFILE") or variables.get("AWS_PROFILE")
    return chosen or "default", bool(chosen)


def read_profiles(variables: Mapping[str, str]) -> tuple[dict[str, dict[str, str]], str]:
    """Return the profiles of the config and credentials files, and why one can't be read.

    In the config file a profile's section is ``[profile NAME]``, in the other ``[NAME]``.
    """
    home = Path(variables.get("HOME") or os.path.expanduser("~"))  # noqa: PTH111 - never raises
    config = variables.get("AWS_CONFIG_FILE") or str(home / ".aws/config")
    shared = variables.get("AWS_SHARED_CREDENTIALS_FILE") or str(home / ".aws/credentials")
    profiles: dict[str, dict[str, str]] = {}
    for text, marked in ((config, True), (shared, False)):
        parser = configparser.RawConfigParser(strict=False, default_section="\0")
        try:
            path = Path(text).expanduser()
            if not path.is_file():
                continue
            with path.open(encoding="utf-8") as stream:
                parser.read_string(stream.read(_MAX_BYTES))
        except OSError as error:
            return profiles, f"{text} can't be read: {error.strerror}"
        except (configparser.Error, ValueError, RuntimeError):
            # The parser's own message quotes the line, which may be a secret.
            return profiles, f"{text} is not a valid AWS file"
        for section in parser.sections():
            kind, _, name = section.partition(" ")
            if marked and section != "default" and kind != "profile":
                continue
            key = name.strip().strip("\"'") if marked and section != "default" else section
            profiles.setdefault(key, {}).update(parser.items(section))
    return profiles, ""


def _works(detail: str) -> Finding:
    return Finding("credentials", "AWS credentials", "works", f"{detail}; not tried")


def _broken(detail: str, hint: str) -> Finding:
    return Finding("credentials", "AWS credentials", "broken", f"{detail}; {_NEEDED}", hint)

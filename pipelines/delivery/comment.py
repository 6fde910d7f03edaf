"""A plan as the comment of a pull request, or the note of a merge request, updated in place.

Sources: GitHub, "REST API endpoints for issue comments" (a pull request is an issue), and "Default
environment variables"; GitLab, "Notes API", "Users API" and "Predefined CI/CD variables".
"""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn
from urllib.parse import quote, urlsplit

from pipelines.cloud.client import LOOPBACK
from pipelines.errors import SagedagError, UsageError

SECONDS = 30
PAGES = 50
"""How many pages of a hundred comments are looked through."""
_MARKER = re.compile(r"<!-- sagedag [A-Za-z0-9_. -]+ -->")


class CommentRefused(SagedagError):
    """The code host did not take the comment; exit 4, as where AWS refuses."""

    exit_code = 4


@dataclass(frozen=True)
class Conversation:
    """Where a comment goes.

    Args:
        comments: the address of the comments.
        each: the address of one comment, before its number.
        headers: what authorises; never shown.
        gitlab: it is GitLab's API.
        user: GitLab's address of whose token it is.
        words: what it is, for people.
    """

    comments: str
    each: str
    headers: Mapping[str, str] = field(repr=False)
    gitlab: bool
    words: str
    user: str = ""


def conversation_of(variables: Mapping[str, str]) -> Conversation:
    """Return where a job's comment goes, by the variables that GitHub or GitLab sets for it.

    Raises:
        UsageError: it is no job of a pull or merge request, or there is no token.
    """
    if variables.get("GITHUB_ACTIONS") == "true":
        return _github(variables)
    if variables.get("GITLAB_CI") == "true":
        return _gitlab(variables)
    raise UsageError(
        "this is no job of GitHub Actions or GitLab CI", "elsewhere, the plan is in the job's log"
    )


def _github(variables: Mapping[str, str]) -> Conversation:
    found = re.fullmatch(r"refs/pull/(\d+)/\w+", variables.get("GITHUB_REF", ""))
    if not found:
        raise UsageError("this job is of no pull request", "comment in jobs `on: pull_request`")
    token = variables.get("GITHUB_TOKEN") or variables.get("GH_TOKEN")
    if not token:
        raise UsageError(
            "there is no token to comment with",
            "give the step GITHUB_TOKEN: ${{ github.token }}, and the job pull-requests: write",
        )
    repository = quote(variables.get("GITHUB_REPOSITORY", ""), safe="/")
    api = _checked(variables.get("GITHUB_API_URL") or "https://api.github.com")
    issues = f"{api}/repos/{repository}/issues"
    headers = {
        "Authorization": f"Bearer {token}",
        "Accept": "application/vnd.github+json",
        "X-GitHub-Api-Version": "2022-11-28",
    }
    words = f"pull request #{found.group(1)}"
    return Conversation(
        f"{issues}/{found.group(1)}/comments", f"{issues}/comments", headers, False, words
    )


def _gitlab(variables: Mapping[str, str]) -> Conversation:
    number = variables.get("CI_MERGE_REQUEST_IID", "")
    if not number.isdigit():
        raise UsageError(
            "this job is of no merge request", "comment in pipelines of merge requests"
        )
    token = variables.get("GITLAB_TOKEN")
    if not token:
        raise UsageError(
            "there is no token to comment with",
            "make a project access token with the scope `api` and give it as GITLAB_TOKEN",
        )
    api = _checked(variables.get("CI_API_V4_URL") or "https://gitlab.com/api/v4")
    project = quote(variables.get("CI_PROJECT_ID", ""), safe="")
    notes = f"{api}/projects/{project}/merge_requests/{number}/notes"
    headers = {"PRIVATE-TOKEN": token}
    return Conversation(notes, notes, headers, True, f"merge request !{number}", f"{api}/user")


def _checked(address: str) -> str:
    """Refuse to send a token in the clear."""
    parts = urlsplit(address)
    if parts.scheme != "https" and parts.hostname not in LOOPBACK:
        raise UsageError(f"the API's address is not https: {parts.scheme}://{parts.hostname}")
    return address.rstrip("/")


def put_comment(conversation: Conversation, text: str) -> str:
    """Write a text as a comment; one of ours with the same first line is replaced.

    Only comments that this job's own account wrote are replaced: who could write the first line
    into a comment of theirs could change the plan afterwards.

    Returns:
        ``updated`` or ``created``.

    Raises:
        UsageError: the text's first line is no marker.
        CommentRefused: the API did not take it, or can't be reached.
    """
    first = text.partition("\n")[0].strip()
    if not _MARKER.fullmatch(first):
        raise UsageError(
            "its first line is no marker of a plan",
            "write the file with `sagedag deploy --dry-run --markdown FILE`",
        )
    earlier = _earlier(conversation, first)
    if earlier is None:
        _call(conversation, "POST", conversation.comments, {"body": text})
        return "created"
    method = "PUT" if conversation.gitlab else "PATCH"
    _call(conversation, method, f"{conversation.each}/{earlier}", {"body": text})
    return "updated"


def _earlier(conversation: Conversation, first: str) -> int | None:
    me = None
    if conversation.gitlab:
        me = _call(conversation, "GET", conversation.user)["id"]
    for each in _comments(conversation):
        if not str(each.get("body", "")).startswith(first):
            continue
        author = each.get("author") if conversation.gitlab else each.get("user")
        own = isinstance(author, Mapping) and (
            author.get("id") == me if conversation.gitlab else author.get("type") == "Bot"
        )
        if own:
            return int(each["id"])
    return None


def _comments(conversation: Conversation) -> Iterator[dict[str, Any]]:
    for page in range(1, PAGES + 1):
        found = _call(conversation, "GET", f"{conversation.comments}?per_page=100&page={page}")
        yield from found
        if len(found) < 100:
            return


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirection could lead the token to another host."""

    def redirect_request(self, *_: Any) -> None:
        """Follow none: the answer is an error then."""


def _call(conversation: Conversation, method: str, address: str, body: Any = None) -> Any:
    data = json.dumps(body).encode() if body is not None else None
    headers = {**conversation.headers, "User-Agent": "sagedag"}
    if data is not None:
        headers["Content-Type"] = "application/json"
    # The address is https, or loopback: see `_checked`.
    request = urllib.request.Request(address, data, headers, method=method)  # noqa: S310
    try:
        with urllib.request.build_opener(_NoRedirect).open(request, timeout=SECONDS) as answer:
            return json.loads(answer.read() or b"null")
    except urllib.error.HTTPError as error:
        _refuse(conversation, method, f"HTTP {error.code} {_detail(error)}".strip(), error.code)
    except (OSError, ValueError) as error:
        _refuse(conversation, method, str(getattr(error, "reason", error)), 0)


def _detail(error: urllib.error.HTTPError) -> str:
    try:
        message = json.loads(error.read(10_000)).get("message", "")
    except (OSError, ValueError, AttributeError):
        return ""
    return "".join(c for c in str(message)[:200] if c.isprintable())


def _refuse(conversation: Conversation, method: str, told: str, status: int) -> NoReturn:
    hint = "run the job again"
    if status in (401, 403, 404):
        hint = (
            "the token needs the scope `api` of the project"
            if conversation.gitlab
            else "the job needs `permissions: {pull-requests: write}`"
        )
    doing = "read its comments" if method == "GET" else "comment on it"
    raise CommentRefused(f"{conversation.words}: can't {doing}: {told}", hint)

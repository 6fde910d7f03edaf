"""Where an environment lives on AWS, and how the command line says to call it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from pipelines.cloud.client import Clients, Place, connect
from pipelines.cloud.waiting import Tell
from pipelines.errors import UsageError
from pipelines.language.diagnostics import Report
from pipelines.language.environments import Setting, choose_environment
from pipelines.language.project import ENVIRONMENTS_FILE, Project, find_project, shown


@dataclass(frozen=True)
class Connection:
    """How the command line says where to call: empty where it does not.

    Args:
        profile, region: of ``--profile`` and ``--region``.
        tell: gets a line for every call (``--debug``).
        notice: gets a line where AWS is silent for some seconds.
    """

    profile: str = ""
    region: str = ""
    tell: Tell | None = field(default=None, repr=False)
    notice: Tell | None = field(default=None, repr=False)

    def open(self, place: Place) -> Clients:
        """Return AWS as an environment sees it; see :func:`pipelines.cloud.client.connect`."""
        return connect(
            place,
            profile=self.profile or None,
            region=self.region or None,
            tell=self.tell,
            notice=self.notice,
        )


def setting_of(project: Project, environment: str) -> Setting:
    """Return an environment of a project, with what ``environments.yaml`` says about it.

    Raises:
        UsageError: there is no such environment.
        InvalidDefinition: the file has mistakes.
    """
    report = Report()
    setting = choose_environment(environment, project, report)
    report.stop_if_failed()
    return setting


def place_of(setting: Setting) -> Place:
    """Return where an environment lives on AWS."""
    where = setting.environment
    return Place(
        where.name,
        where.account,
        where.region,
        where.profile,
        setting.endpoint_url,
        where.bucket,
        where.prefix,
        where.local,
    )


def find_place(environment: str, folder: Path | None = None) -> Place:
    """Return where an environment lives, for commands that name no definition.

    Args:
        folder: where to look; the working directory by default.

    Raises:
        UsageError: there is no such environment, or more than one file below.
    """
    return place_of(setting_of(find_project_near(folder or Path.cwd()), environment))


def find_project_near(start: Path) -> Project:
    """Return the project of a folder that need hold no definition.

    ``environments.yaml`` is looked for in the folder and above it, then right below it
    (``definitions/``).

    Raises:
        UsageError: there is more than one file below.
    """
    project = find_project(start)
    if project.environments is None:
        below = sorted(start.glob(f"*/{ENVIRONMENTS_FILE}"))
        if len(below) > 1:
            listed = ", ".join(shown(each.parent) for each in below)
            raise UsageError(
                f"there are several projects here: {listed}",
                "say which with `sagedag -C FOLDER …`",
            )
        if below:
            return Project(below[0].resolve().parent, below[0].resolve())
    return project


def check_region(connection: Connection, place: Place) -> None:
    """Refuse ``--region`` beside a definition: it is compiled for its environment's region.

    Raises:
        UsageError: the command line names another region.
    """
    if connection.region and connection.region != place.region:
        raise UsageError(
            f"--region {connection.region}: the environment `{place.environment}` is in "
            f"{place.region}, and its definitions are compiled for that",
            "name another --env, or correct `region` in environments.yaml",
        )


def open_environment(project: Project, environment: str, connection: Connection) -> Clients:
    """Return AWS as an environment of a project sees it.

    Raises:
        UsageError: there is no such environment, or the command line names another region.
        InvalidDefinition: the environments file has mistakes.
    """
    place = place_of(setting_of(project, environment))
    check_region(connection, place)
    return connection.open(place)

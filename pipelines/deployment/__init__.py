"""Compiling and the cloud brought together: what is defined here becomes what is deployed there.

This is the library's way to deploy; the commands ``plan``, ``upsert``, … stand on it::

    planned = plan(["definitions"], environment="dev")
    if not planned.plan.is_empty:
        carry_out(planned)

Commands that name a pipeline and no definition begin with ``find_place``::

    clients = connection(options).open(find_place("dev"))
"""

from pipelines.deployment.compiling import compile_all, compile_checked, defined_names, wanted_of
from pipelines.deployment.deploy import (
    Planned,
    carry_out,
    check_owners,
    compare,
    plan,
    plan_compiled,
    upsert,
)
from pipelines.deployment.differing import EnvironmentDifference, compare_environments
from pipelines.deployment.names import pipeline_named
from pipelines.deployment.places import (
    Connection,
    find_place,
    find_project_near,
    open_environment,
    place_of,
    setting_of,
)
from pipelines.deployment.provenance import (
    folder_in_repository,
    provenance_of,
    repository_name,
    tool_version,
)

__all__ = [
    "Connection",
    "EnvironmentDifference",
    "Planned",
    "carry_out",
    "check_owners",
    "compare",
    "compare_environments",
    "compile_all",
    "compile_checked",
    "defined_names",
    "find_place",
    "find_project_near",
    "folder_in_repository",
    "open_environment",
    "pipeline_named",
    "place_of",
    "plan",
    "plan_compiled",
    "provenance_of",
    "repository_name",
    "setting_of",
    "tool_version",
    "upsert",
    "wanted_of",
]

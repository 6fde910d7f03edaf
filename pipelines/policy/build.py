"""All policies of a definition in one environment."""

from __future__ import annotations

from dataclasses import replace

from pipelines.language.requests import Program
from pipelines.policy.caller import Caller, role_name, trust_policies
from pipelines.policy.job_role import job_policy
from pipelines.policy.model import Policy, split
from pipelines.policy.names import Names
from pipelines.policy.needs import Gatherer
from pipelines.policy.pipeline_role import pipeline_policy
from pipelines.policy.values import Values


def policies(program: Program) -> tuple[Policy, ...]:
    """Return the policies: the pipeline's role, its jobs' roles, trust, and who calls.

    The order is stable; what is longer than IAM takes comes in several parts.
    """
    spec = program.spec
    values = Values(program)
    names = Names(spec.environment)
    gatherer = Gatherer(spec, values)
    by_role = gatherer.gather(program.steps)
    made = [pipeline_policy(f"{spec.name}-pipeline", program, values, gatherer)]
    for role, needs in by_role.items():
        own = role == spec.environment.role
        name = f"{spec.name}-jobs" if own else f"{spec.name}-jobs-{role_name(role)}"
        made.append(job_policy(name, needs, names))
    remarks = tuple(values.remarks)
    made = [replace(p, remarks=remarks) if not i else p for i, p in enumerate(made)]
    made += [*trust_policies(spec, by_role), *Caller(spec).policies()]
    return tuple(part for policy in made if policy.statements for part in split(policy))

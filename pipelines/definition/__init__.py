"""Pipeline-definition JSON (version 2020-12-01): reading, checking and walking it.

Knows nothing of YAML, of the SageMaker SDK or of running.
"""

from pipelines.definition.expressions import (
    Expression,
    ExpressionError,
    Get,
    Join,
    JsonGet,
    parse_expression,
    references,
    walk,
)
from pipelines.definition.graph import (
    body_dependencies,
    dependencies,
    find_cycle,
    step_references,
)
from pipelines.definition.model import (
    Branch,
    CacheConfig,
    Definition,
    Dependency,
    Parameter,
    PropertyFile,
    RetryPolicy,
    Step,
)
from pipelines.definition.read import read_definition
from pipelines.definition.references import PathSyntaxError, Reference, parse_get, parse_path

__all__ = [
    "Branch",
    "CacheConfig",
    "Definition",
    "Dependency",
    "Expression",
    "ExpressionError",
    "Get",
    "Join",
    "JsonGet",
    "Parameter",
    "PathSyntaxError",
    "PropertyFile",
    "Reference",
    "RetryPolicy",
    "Step",
    "body_dependencies",
    "dependencies",
    "find_cycle",
    "parse_expression",
    "parse_get",
    "parse_path",
    "read_definition",
    "references",
    "step_references",
    "walk",
]

"""The paths inside ``{"Get": …}`` expressions and JSON-path arguments.

A path is a root name followed by members, indexes and quoted keys, as the SageMaker SDK writes
them: ``Steps.train.ModelArtifacts.S3ModelArtifacts``,
``Steps.split.ProcessingOutputConfig.Outputs['train'].S3Output.S3Uri``,
``Steps.tune.TrainingJobSummaries[0].TrainingJobName``.
"""

from __future__ import annotations

from dataclasses import dataclass

# No path of a real definition comes near this; a longer one is hostile or broken.
MAX_PATH_LENGTH = 8192

# The eight execution variables (SDK: ``sagemaker.core.workflow.execution_variables``).
EXECUTION_VARIABLES = (
    "StartDateTime",
    "CurrentDateTime",
    "PipelineName",
    "PipelineArn",
    "PipelineExecutionId",
    "PipelineExecutionArn",
    "TrainingJobName",
    "ProcessingJobName",
)

ROOTS = (
    "Parameters",
    "Execution",
    "Steps",
    "PipelineExperimentConfig",
    "ForEach",
    "IterationOutput",
)


class PathSyntaxError(ValueError):
    """A path that cannot be read; its text says what is wrong and where."""


@dataclass(frozen=True)
class Reference:
    """A parsed ``Get`` path.

    Attributes:
        root: the first name: ``Parameters``, ``Execution``, ``Steps``, ….
        name: the second name: of the parameter, the variable or the step.
        path: what follows, names and keys as text, indexes as numbers.
        text: the path as it was written.
    """

    root: str
    name: str
    path: tuple[str | int, ...]
    text: str

    @property
    def property_file(self) -> str | None:
        """The property file's name where this is ``Steps.X.PropertyFiles.NAME``."""
        if self.root == "Steps" and len(self.path) == 2 and self.path[0] == "PropertyFiles":
            return str(self.path[1])
        return None


def parse_path(text: str) -> tuple[str | int, ...]:
    """Split ``a.b[0]['odd.key']`` into its segments.

    Args:
        text: the path; a leading ``$`` (JSON path's root) is allowed and dropped.

    Returns:
        Names and keys as text, indexes as numbers.

    Raises:
        PathSyntaxError: the text is no such path.
    """
    if len(text) > MAX_PATH_LENGTH:
        raise PathSyntaxError(f"a path of {len(text)} characters is too long")
    position = 1 if text.startswith(("$.", "$[")) else 0
    if position and text[1] == ".":
        position = 2
    segments: list[str | int] = []
    after_dot = True
    while position < len(text):
        if text[position] == "[":
            segment, position = _bracket(text, position)
            segments.append(segment)
            after_dot = False
        elif text[position] == "." and not after_dot:
            position += 1
            after_dot = True
            if position == len(text):
                raise PathSyntaxError(f"the path {_quote(text)} ends in a dot")
        elif after_dot:
            end = _name_end(text, position)
            if end == position:
                raise PathSyntaxError(f"the path {_quote(text)} has an empty name")
            segments.append(text[position:end])
            position = end
            after_dot = False
        else:
            raise PathSyntaxError(f"the path {_quote(text)} lacks a dot before column {position}")
    if not segments:
        raise PathSyntaxError("an empty path")
    return tuple(segments)


def _name_end(text: str, start: int) -> int:
    end = start
    while end < len(text) and text[end] not in ".[":
        end += 1
    return end


def _bracket(text: str, start: int) -> tuple[str | int, int]:
    """Read ``[0]`` or ``['key']`` at ``start``; return the segment and where it ends."""
    quote = text[start + 1 : start + 2]
    if quote and quote in "'\"":
        # The SDK does not escape: the key runs to the quote that closes the bracket.
        end = text.find(quote + "]", start + 2)
        if end < 0:
            raise PathSyntaxError(f"the path {_quote(text)} has a key that is not closed")
        return text[start + 2 : end], end + 2
    end = text.find("]", start)
    digits = text[start + 1 : end] if end >= 0 else ""
    if not (digits.isascii() and digits.isdigit()) or len(digits) > 9:
        raise PathSyntaxError(
            f"the path {_quote(text)} needs a number or a quoted key inside its brackets"
        )
    return int(digits), end + 1


def parse_get(text: str) -> Reference:
    """Parse the text of a ``Get`` expression.

    Raises:
        PathSyntaxError: it is no path, or its root is not one that pipelines know.
    """
    segments = parse_path(text)
    root = segments[0]
    if root not in ROOTS:
        raise PathSyntaxError(
            f"{_quote(text)} starts with none of {', '.join(ROOTS[:4])}, ForEach, IterationOutput"
        )
    if len(segments) < 2 or not isinstance(segments[1], str):
        raise PathSyntaxError(f"{_quote(text)} names nothing after `{root}`")
    path = segments[2:]
    if path and root in ("Parameters", "Execution", "PipelineExperimentConfig"):
        raise PathSyntaxError(f"{_quote(text)} goes on after the name; `{root}` holds plain values")
    return Reference(str(root), segments[1], path, text)


def format_path(segments: tuple[str | int, ...]) -> str:
    """Write segments the way :func:`parse_path` reads them."""
    parts: list[str] = []
    for segment in segments:
        if isinstance(segment, int):
            parts.append(f"[{segment}]")
        elif not segment or any(sign in ".['\"] " for sign in segment):
            parts.append(f"['{segment}']")
        else:
            parts.append(f".{segment}" if parts else segment)
    return "".join(parts)


def _quote(text: str) -> str:
    shown = text if len(text) <= 120 else text[:117] + "…"
    return f"`{shown}`"

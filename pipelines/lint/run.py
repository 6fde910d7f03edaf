"""From definitions to findings: every rule, every environment, less what comments ignore."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pipelines.errors import UsageError
from pipelines.language.check import Checked, check
from pipelines.language.diagnostics import Diagnostic, InvalidDefinition, Report, nearest
from pipelines.language.nodes import MapNode, Scalar, Source, Span, get, locate, plain, walk
from pipelines.language.project import find_project, read_file, shown
from pipelines.lint.ignores import Ignore, read_ignores
from pipelines.lint.model import Finding, Rule, Subject, Surroundings
from pipelines.lint.rules import BY_CODE, RULES
from pipelines.lint.rules.hygiene import UNEXPLAINED_IGNORE, UNUSED_IGNORE
from pipelines.lint.settings import Settings, SettingsFiles, check_environments
from pipelines.lint.written import covered

LOCAL = "local"


@dataclass(frozen=True)
class Target:
    """A definition to look at.

    Args:
        path: its file; with ``text`` only its place counts.
        text: its bytes where they do not come from the file.
        variables: values of ``vars``, as text.
    """

    path: Path
    text: bytes | None = None
    variables: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Linted:
    """What was found.

    Args:
        findings: in order, without those that comments ignore.
        errors: mistakes of definitions that could not be looked at for them.
        ignored: how many findings comments ignore.
        environments: the environments that were looked at.
    """

    findings: list[Diagnostic] = field(default_factory=list)
    errors: list[Diagnostic] = field(default_factory=list)
    ignored: int = 0
    environments: list[str] = field(default_factory=list)

    @property
    def only_local(self) -> bool:
        """Whether no environment on AWS was looked at."""
        return self.environments == [LOCAL]


class Linter:
    """Looks at definitions one after the other; comments are judged when all were seen.

    Args:
        environment: the environment to look at; None: all that the project has.
        select, ignore: codes and groups of the command line.
        online: ask AWS, too, whether what is named is there.
    """

    def __init__(
        self,
        environment: str | None = None,
        select: Sequence[str] = (),
        ignore: Sequence[str] = (),
        *,
        online: bool = False,
    ) -> None:
        if online and environment is None:
            raise UsageError(
                "--online asks one account", "name its environment with --env or SAGEDAG_ENV"
            )
        self.online = online
        Settings().narrowed(select, ignore)  # wrong names are told even where nothing is found
        self.environment, self.select, self.ignore = environment, select, ignore
        self.result = Linted()
        self._found: dict[tuple[Any, ...], Diagnostic] = {}
        self._ignores: dict[tuple[str, Span], Ignore] = {}
        self._commented: set[Path] = set()
        self._asked: set[str] = set()
        self._secrets: list[Scalar] = []
        self._wanted: Settings = Settings()
        # Files that many definitions share are read once.
        self._settings = SettingsFiles()
        self._surroundings = functools.cache(read_surroundings)

    def look_at(
        self, target: Target, known: Mapping[str, Checked] | None = None
    ) -> Iterator[Subject]:
        """Apply every rule to a definition, in each environment; yields what it looked at.

        Args:
            known: the definition as it was checked before, by environment.

        Raises:
            UsageError: a file can't be read, a setting is wrong, or there is no such environment.
        """
        folder = target.path.absolute().parent
        settings = self._settings.settings(folder).narrowed(self.select, self.ignore)
        surroundings, names = self._surroundings(find_project(folder).environments)
        check_environments(settings, names)
        chosen = [self.environment] if self.environment else list(settings.environments or names)
        for name in chosen:
            if name not in self.result.environments:
                self.result.environments.append(name)
            checked = (known or {}).get(name) or check(
                target.path, environment=name, variables=target.variables, text=target.text
            )
            if checked.program is None or checked.failed:
                self.result.errors += [d for d in checked.diagnostics if d.level == "error"]
                continue
            subject = Subject(checked.program, settings.limits, surroundings)
            self._apply(subject, settings)
            self._remember_comments(subject)
            yield subject

    def _apply(self, subject: Subject, settings: Settings) -> None:
        self._wanted = settings
        report = Report()
        for rule in RULES:
            if not settings.wants(rule) or (rule.cloud and subject.spec.environment.local):
                continue
            if not rule.online or self.online:
                self._asked.add(rule.code)
            for finding in rule.find(subject):
                self._report(subject, rule, finding, report)
        if self.online:
            from pipelines.lint import online

            for rule, finding in online.findings(subject, settings.wants):
                self._report(subject, rule, finding, report)
        self.add(report.diagnostics)

    def _report(self, subject: Subject, rule: Rule, finding: Finding, report: Report) -> None:
        source, span = locate(subject.spec.tree, finding.path, at_key=finding.at_key)
        level = self._wanted.level(rule)
        node = get(subject.spec.tree, *finding.path) if finding.hide else None
        self._secrets += [scalar for _, scalar in walk(node)] if node is not None else []
        report.add(rule.code, source, span, finding.message, finding.hint, level)

    def add(self, diagnostics: Sequence[Diagnostic]) -> None:
        """Add findings; what several environments have in common is kept once."""
        for each in diagnostics:
            self._found.setdefault(each.sort_key, each)

    def _remember_comments(self, subject: Subject) -> None:
        own = subject.spec.tree.source
        project = subject.spec.project
        for path in [own.path, *subject.spec.files, *filter(None, [project.environments])]:
            real = path.resolve()
            if real in self._commented:
                continue
            self._commented.add(real)
            source = own
            if real != own.path.resolve():
                source = Source(
                    path, shown(path), path.read_text(encoding="utf-8", errors="replace")
                )
            for each in read_ignores(source):
                self._ignores.setdefault((source.name, each.span), each)

    def finish(self) -> Linted:
        """Apply the comments and return the result."""
        used: set[tuple[str, Span, str]] = set()
        kept: list[Diagnostic] = []
        by_line: dict[tuple[str, int], list[Ignore]] = {}
        for ignore in self._ignores.values():
            by_line.setdefault((ignore.source.name, ignore.line), []).append(ignore)
        for each in self._found.values():
            about = by_line.get((each.source.name, each.span.line), [])
            taken = [ignore for ignore in about if each.code in ignore.codes]
            used.update((i.source.name, i.span, each.code) for i in taken)
            if not taken:
                kept.append(each)
        self.result.ignored = len(self._found) - len(kept)
        kept += self._judged(used)
        secrets: dict[str, list[Scalar]] = {}
        for scalar in self._secrets:
            secrets.setdefault(scalar.source.name, []).append(scalar)
        hiding = {name: covered(found[0].source, found) for name, found in secrets.items()}
        kept = [replace(d, source=hiding.get(d.source.name, d.source)) for d in kept]
        self.result.findings = sorted(kept, key=lambda d: d.sort_key)
        unique = {d.sort_key: d for d in self.result.errors}
        self.result.errors = [unique[key] for key in sorted(unique)]
        return self.result

    def _judged(self, used: set[tuple[str, Span, str]]) -> Iterator[Diagnostic]:
        """Yield what is wrong with the comments themselves."""
        settings, report = self._wanted, Report()
        if self.result.errors:
            return  # what a broken definition's comments are for can't be told
        for each in self._ignores.values():
            at = (each.source, each.span)
            if settings.wants(UNUSED_IGNORE):
                level = settings.level(UNUSED_IGNORE)
                for message, hint in self._useless(each, used):
                    report.add(UNUSED_IGNORE.code, *at, message, hint, level)
            if settings.wants(UNEXPLAINED_IGNORE) and each.codes and not each.reason:
                message = f"nothing says why `{', '.join(each.codes)}` is ignored"
                hint = "write the reason behind the bracket"
                level = settings.level(UNEXPLAINED_IGNORE)
                report.add(UNEXPLAINED_IGNORE.code, *at, message, hint, level)
        yield from report.diagnostics

    def _useless(
        self, ignore: Ignore, used: set[tuple[str, Span, str]]
    ) -> Iterator[tuple[str, str]]:
        if not ignore.codes:
            yield "the comment ignores nothing", "name the codes: `ignore[no-vpc] …`"
        for code in ignore.codes:
            if code not in BY_CODE:
                near = nearest(code, BY_CODE)
                yield f"there is no rule `{code}`", f"did you mean `{near}`?" if near else ""
            elif code in self._asked and (ignore.source.name, ignore.span, code) not in used:
                yield f"`{code}` finds nothing at line {ignore.line}", "remove the comment"


def lint(
    target: Target,
    *,
    environment: str | None = None,
    select: Sequence[str] = (),
    ignore: Sequence[str] = (),
    online: bool = False,
) -> Linted:
    """Look at one definition; arguments as for :class:`Linter`."""
    linter = Linter(environment, select, ignore, online=online)
    for _ in linter.look_at(target):
        pass
    return linter.finish()


def read_surroundings(environments: Path | None) -> tuple[Surroundings, list[str]]:
    """Return what is known of all environments of a project's file, and their names.

    A template in a value makes it nobody's: it is known only for one environment.
    """
    if environments is None:
        return Surroundings(), [LOCAL]
    try:
        root = read_file(environments, Report())
    except InvalidDefinition:
        root = None
    block = get(root, "environments") if root is not None else None
    if not isinstance(block, MapNode):
        return Surroundings(), [LOCAL]

    def texts(key: str) -> frozenset[str]:
        found = [plain(node) for name in block.entries if (node := get(block, name, key))]
        return frozenset(str(getattr(v, "text", v)) for v in found if v and "{{" not in str(v))

    names = list(dict.fromkeys([LOCAL, *block.entries]))
    return Surroundings(texts("account"), texts("bucket")), names

"""The files that a definition publishes, made into assets and remembered."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path as FilePath

from pipelines.assets import Asset, bundle_assets, make_asset, make_document
from pipelines.errors import DefinitionError
from pipelines.language.diagnostics import Report
from pipelines.language.nodes import Scalar
from pipelines.language.project import Project, resolve_inside
from steps._contract import Document, Environment


@dataclass
class AssetStore:
    """Makes assets and remembers them, so that equal ones are made once.

    Args:
        project: the project that files must lie in.
    """

    project: Project
    made: dict[FilePath | tuple[FilePath, ...], Asset] = field(default_factory=dict)
    documents: dict[Document, Asset] = field(default_factory=dict)

    def bundle(self, paths: tuple[FilePath, ...], environment: Environment) -> Asset:
        """Return the asset of several files and folders; raises as :meth:`make`."""
        if paths not in self.made:
            self.made[paths] = bundle_assets(paths, environment.root, self.project.root)
        return self.made[paths]

    def make(self, path: FilePath, environment: Environment) -> Asset:
        """Return the asset of a file or folder; raises DefinitionError where it can't be one."""
        if path not in self.made:
            self.made[path] = make_asset(path, environment.root, self.project.root)
        return self.made[path]

    def write(self, document: Document, environment: Environment) -> str:
        """Return the URI of a file that was made while compiling."""
        if document not in self.documents:
            asset = make_document(document.name, document.content, environment.root)
            self.documents[document] = asset
        return f"{self.documents[document].files_uri}/{document.name}"

    @property
    def assets(self) -> tuple[Asset, ...]:
        """Everything that was made, by digest, in the order of its first use."""
        found = (*self.made.values(), *self.documents.values())
        return tuple({asset.digest: asset for asset in found}.values())

    @property
    def places(self) -> tuple[FilePath, ...]:
        """The files and folders that assets were made of, in the order of their first use."""
        found: dict[FilePath, None] = {}
        for key in self.made:
            found.update(dict.fromkeys(key if isinstance(key, tuple) else (key,)))
        return tuple(found)

    def find(self, at: Scalar, text: str, environment: Environment, report: Report) -> str:
        """Return the URI that the template function ``asset`` gives."""
        given = Scalar(text, text, at.source, at.span, quoted=True)
        path = resolve_inside(given, self.project, report)
        if path is None:
            return ""
        try:
            return asset_uri(self.make(path, environment), path)
        except DefinitionError as error:
            report.at(at, "bad-asset", error.message, error.hint)
        except OSError as error:
            report.at(at, "bad-asset", f"it can't be read: {error.strerror}")
        return ""


def asset_uri(asset: Asset, path: FilePath) -> str:
    """Return the URI of a file, or of a folder's files."""
    return f"{asset.files_uri}/{path.name}" if path.is_file() else asset.files_uri

"""The local model registry: models, package groups and package versions."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipelines.definition.problems import nearest
from pipelines.errors import UsageError
from pipelines.local.encoding import decode, encode, moment
from pipelines.local.store import Store


@dataclass(frozen=True)
class PackageRecord:
    """One version of a model package group.

    Attributes:
        description: shaped like the DescribeModelPackage response.
        metrics: numbers read from the files that ``ModelMetrics`` names.
    """

    group: str
    version: int
    execution: str
    step: str
    created: float
    description: Mapping[str, Any]
    metrics: Mapping[str, float]

    @property
    def arn(self) -> str:
        """The package's ARN."""
        return str(self.description["ModelPackageArn"])

    @property
    def approval(self) -> str:
        """The package's approval status."""
        return str(self.description["ModelApprovalStatus"])


@dataclass(frozen=True)
class ModelRecord:
    """A model that a CreateModel step made; ``description`` is shaped like DescribeModel."""

    name: str
    execution: str
    step: str
    created: float
    description: Mapping[str, Any]


@dataclass(frozen=True)
class GroupRecord:
    """A model package group."""

    name: str
    arn: str
    created: float


class Registry:
    """Reads and writes models and packages.

    Args:
        store: an open store; writing needs one from ``open_store``.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def create_model(
        self, name: str, execution: str, step: str, description: Mapping[str, object]
    ) -> ModelRecord:
        """Record a model; its CreationTime is set.

        Raises:
            ValueError: the name is taken.
        """
        known = self._store.query(
            "SELECT * FROM models WHERE execution = ? AND step = ?", (execution, step)
        )
        if known:
            # A step makes one model: killed after this and run again, it finds its own.
            return _model(known[0])
        now = time.time()
        full = {**description, "CreationTime": moment(now)}
        try:
            with self._store.transaction() as connection:
                connection.execute(
                    "INSERT INTO models (name, execution, step, created, description)"
                    " VALUES (?, ?, ?, ?, ?)",
                    (name, execution, step, now, encode(full)),
                )
        except sqlite3.IntegrityError:
            raise ValueError(f"there is a model called {name} already") from None
        return ModelRecord(name, execution, step, now, full)

    def create_package(
        self,
        group: str,
        group_arn: str,
        execution: str,
        step: str,
        description: Mapping[str, object],
        metrics: Mapping[str, float],
    ) -> PackageRecord:
        """Record the next version of a group, which is made where it does not exist.

        Args:
            group: the group's name.
            group_arn: the group's ARN, should it be made.
            execution: the execution that registers.
            step: its step.
            description: the response of DescribeModelPackage less what is only known here: name,
                version, ARN and creation time.
            metrics: numbers about the model.
        """
        now = time.time()
        with self._store.transaction() as connection:
            # A step registers once: one that was killed after this and runs again finds its own.
            known = connection.execute(
                "SELECT * FROM packages WHERE execution = ? AND step = ? AND group_name = ?",
                (execution, step, group),
            ).fetchone()
            if known is not None:
                return _package(known)
            connection.execute(
                "INSERT OR IGNORE INTO package_groups (name, arn, created) VALUES (?, ?, ?)",
                (group, group_arn, now),
            )
            found = connection.execute(
                "SELECT g.arn, (SELECT coalesce(max(version), 0) + 1 FROM packages"
                " WHERE group_name = g.name) AS version FROM package_groups g WHERE name = ?",
                (group,),
            ).fetchone()
            version = int(found["version"])
            arn = found["arn"].replace(":model-package-group/", ":model-package/", 1)
            full = {
                # [U] What a versioned package's name is in the response; it must be there.
                "ModelPackageName": group,
                "ModelPackageGroupName": group,
                "ModelPackageVersion": version,
                "ModelPackageArn": f"{arn}/{version}",
                **description,
                "CreationTime": moment(now),
            }
            connection.execute(
                "INSERT INTO packages (group_name, version, execution, step, created, description,"
                " metrics) VALUES (?, ?, ?, ?, ?, ?, ?)",
                (group, version, execution, step, now, encode(full), encode(dict(metrics))),
            )
        return PackageRecord(group, version, execution, step, now, full, dict(metrics))

    def groups(self) -> list[GroupRecord]:
        """Return the package groups by name."""
        rows = self._store.query("SELECT * FROM package_groups ORDER BY name")
        return [GroupRecord(**dict(row)) for row in rows]

    def packages(self, group: str) -> list[PackageRecord]:
        """Return a group's versions, latest first.

        Raises:
            UsageError: there is no such group.
        """
        rows = self._store.query(
            "SELECT * FROM packages WHERE group_name = ? ORDER BY version DESC", (group,)
        )
        if not rows:
            names = [record.name for record in self.groups()]
            raise UsageError(
                f"there is no model package group `{group}`" + nearest(group, names),
                hint="`sagedag models list` shows them all",
            )
        return [_package(row) for row in rows]

    def package(self, group: str, version: int | None = None) -> PackageRecord:
        """Return one version of a group, the latest by default.

        Raises:
            UsageError: there is no such group or version.
        """
        found = self.packages(group)
        if version is None:
            return found[0]
        for record in found:
            if record.version == version:
                return record
        known = ", ".join(str(record.version) for record in reversed(found[:20]))
        raise UsageError(f"group `{group}` has no version {version}; it has {known}")

    def judge(
        self, group: str, version: int | None, approval: str, note: str = ""
    ) -> PackageRecord:
        """Set a version's approval status, as UpdateModelPackage does.

        Args:
            group: the group's name.
            version: None is the latest.
            approval: ``Approved``, ``Rejected`` or ``PendingManualApproval``.
            note: the ApprovalDescription; empty leaves it out.

        Returns:
            The version as it is now.

        Raises:
            UsageError: there is no such group or version.
        """
        found = self.package(group, version)
        description = {**found.description, "ModelApprovalStatus": approval}
        description.pop("ApprovalDescription", None)
        if note:
            description["ApprovalDescription"] = note
        description["LastModifiedTime"] = moment(time.time())
        with self._store.transaction() as connection:
            connection.execute(
                "UPDATE packages SET description = ? WHERE group_name = ? AND version = ?",
                (encode(description), group, found.version),
            )
        return self.package(group, found.version)

    def packages_of(self, execution: str) -> list[PackageRecord]:
        """Return the packages an execution registered."""
        rows = self._store.query(
            "SELECT * FROM packages WHERE execution = ? ORDER BY created", (execution,)
        )
        return [_package(row) for row in rows]

    def has_package(self, arn: str) -> bool:
        """Whether a package of this ARN is registered here."""
        group, _, version = arn.partition(":model-package/")[2].rpartition("/")
        return version.isdigit() and bool(
            self._store.query(
                "SELECT 1 FROM packages WHERE group_name = ? AND version = ?", (group, int(version))
            )
        )

    def package_of(self, arn: str) -> PackageRecord | None:
        """Return the package of an ARN; None where none is registered here."""
        group, _, version = arn.partition(":model-package/")[2].rpartition("/")
        rows = (
            self._store.query(
                "SELECT * FROM packages WHERE group_name = ? AND version = ?", (group, int(version))
            )
            if version.isdigit()
            else []
        )
        return _package(rows[0]) if rows else None

    def model(self, name: str) -> ModelRecord | None:
        """Return the model of a name; None where there is none here."""
        rows = self._store.query("SELECT * FROM models WHERE name = ?", (name,))
        return _model(rows[0]) if rows else None

    def models(self) -> list[ModelRecord]:
        """Return the models, latest first."""
        rows = self._store.query("SELECT * FROM models ORDER BY created DESC")
        return [_model(row) for row in rows]

    def models_of(self, execution: str) -> list[ModelRecord]:
        """Return the models an execution created."""
        rows = self._store.query(
            "SELECT * FROM models WHERE execution = ? ORDER BY created", (execution,)
        )
        return [_model(row) for row in rows]


def _package(row: sqlite3.Row) -> PackageRecord:
    values = dict(row)
    return PackageRecord(
        values["group_name"],
        values["version"],
        values["execution"],
        values["step"],
        values["created"],
        decode(values["description"]),
        decode(values["metrics"]),
    )


def _model(row: sqlite3.Row) -> ModelRecord:
    return ModelRecord(**{**dict(row), "description": decode(row["description"])})

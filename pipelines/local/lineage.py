"""Lineage in the store: actions, artifacts, contexts, and the associations between them."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipelines.local.encoding import decode, encode, moment
from pipelines.local.store import Store

KINDS = ("Action", "Artifact", "Context")


@dataclass(frozen=True)
class Entity:
    """An action, an artifact or a context.

    Attributes:
        kind: one of :data:`KINDS`.
        type: what sort of thing it is, in the user's words.
        source: the URI of the thing itself.
        description: shaped like the response of DescribeAction, DescribeArtifact or
            DescribeContext.
    """

    arn: str
    kind: str
    name: str
    type: str
    source: str
    execution: str
    step: str
    created: float
    description: Mapping[str, Any]


@dataclass(frozen=True)
class Association:
    """What one thing is to another; both by ARN. ``type`` may be None."""

    source: str
    destination: str
    type: str | None
    execution: str
    step: str
    created: float


class Lineage:
    """Reads and writes lineage.

    Args:
        store: an open store; writing needs one from ``open_store``.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def record(
        self,
        execution: str,
        step: str,
        entities: list[tuple[str, str, Mapping[str, Any]]],
        associations: list[tuple[str, str, str | None]],
    ) -> None:
        """Record what one step found, all of it or nothing; what exists already is brought up.

        Args:
            execution: the execution.
            step: its step.
            entities: for each its ARN, its kind and its request (``ActionName``, ``Source``, …).
            associations: for each the ARNs of source and destination, and its type.
        """
        now = time.time()
        with self._store.transaction() as connection:
            for arn, kind, request in entities:
                self._write(connection, arn, kind, request, execution, step, now)
            connection.executemany(
                "INSERT OR REPLACE INTO lineage_associations (source, destination, type, execution,"
                " step, created) VALUES (?, ?, ?, ?, ?, ?)",
                [(*each, execution, step, now) for each in associations],
            )

    @staticmethod
    def _write(
        connection: sqlite3.Connection,
        arn: str,
        kind: str,
        request: Mapping[str, Any],
        execution: str,
        step: str,
        now: float,
    ) -> None:
        source = request.get("Source") or {}
        known = connection.execute(
            "SELECT created FROM lineage_entities WHERE arn = ?", (arn,)
        ).fetchone()
        created = float(known["created"]) if known else now
        described = {
            **{key: value for key, value in request.items() if key != "Tags"},
            f"{kind}Arn": arn,
            "CreationTime": moment(created),
            "LastModifiedTime": moment(now),
        }
        connection.execute(
            "INSERT OR REPLACE INTO lineage_entities (arn, kind, name, type, source, execution,"
            " step, created, description) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                arn,
                kind,
                str(request.get(f"{kind}Name") or ""),
                str(request.get(f"{kind}Type") or ""),
                str(source.get("SourceUri") or ""),
                execution,
                step,
                created,
                encode(described),
            ),
        )

    def entities(self, *, execution: str | None = None, kind: str | None = None) -> list[Entity]:
        """Return what was recorded, oldest first.

        Args:
            execution: only what this one recorded last.
            kind: only these.
        """
        rows = self._store.query(
            "SELECT * FROM lineage_entities WHERE (? IS NULL OR execution = ?)"
            " AND (? IS NULL OR kind = ?) ORDER BY created, arn",
            (execution, execution, kind, kind),
        )
        return [_entity(row) for row in rows]

    def find(self, arn: str) -> Entity | None:
        """Return the entity with an ARN."""
        rows = self._store.query("SELECT * FROM lineage_entities WHERE arn = ?", (arn,))
        return _entity(rows[0]) if rows else None

    def associations(
        self,
        *,
        source: str | None = None,
        destination: str | None = None,
        execution: str | None = None,
    ) -> list[Association]:
        """Return the associations, oldest first: from an ARN, to an ARN, of an execution."""
        rows = self._store.query(
            "SELECT * FROM lineage_associations WHERE (? IS NULL OR source = ?)"
            " AND (? IS NULL OR destination = ?) AND (? IS NULL OR execution = ?)"
            " ORDER BY created, source, destination",
            (source, source, destination, destination, execution, execution),
        )
        return [Association(**dict(row)) for row in rows]


def list_associations(lineage: Lineage, associations: list[Association]) -> dict[str, Any]:
    """Return the response of ListAssociations."""
    summaries = []
    for each in associations:
        summary: dict[str, Any] = {
            "SourceArn": each.source,
            "DestinationArn": each.destination,
            "CreationTime": moment(each.created),
        }
        if each.type:
            summary["AssociationType"] = each.type
        for end, arn in (("Source", each.source), ("Destination", each.destination)):
            entity = lineage.find(arn)
            if entity is not None:
                summary |= {f"{end}Type": entity.type, f"{end}Name": entity.name}
        summaries.append(summary)
    return {"AssociationSummaries": summaries}


def _entity(row: sqlite3.Row) -> Entity:
    return Entity(**{**dict(row), "description": decode(row["description"])})

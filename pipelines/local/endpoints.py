"""Endpoints in the store: configurations, endpoints and inference components."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pipelines.local.encoding import decode, encode, moment
from pipelines.local.store import Store

Kind = Literal["EndpointConfig", "Endpoint", "InferenceComponent"]


@dataclass(frozen=True)
class HostingRecord:
    """A configuration, an endpoint or a component.

    Attributes:
        description: shaped like the Describe response.
    """

    kind: Kind
    name: str
    execution: str
    step: str
    created: float
    description: Mapping[str, Any]


class Endpoints:
    """Reads and writes what hosting consists of.

    Args:
        store: an open store; writing needs one from ``open_store``.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def put(
        self, kind: Kind, name: str, execution: str, step: str, description: Mapping[str, Any]
    ) -> HostingRecord:
        """Record something in place of what had its kind and name.

        Args:
            kind: what it is.
            name: its name.
            execution: the execution that makes it.
            step: its step.
            description: the Describe response less its times.

        Returns:
            The record; CreationTime is that of the first of the name.
        """
        now = time.time()
        before = self.find(kind, name)
        created = now if before is None else before.created
        full = {**description, "CreationTime": moment(created)}
        if kind != "EndpointConfig":
            full["LastModifiedTime"] = moment(now)
        with self._store.transaction() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO hosting (kind, name, execution, step, created, description)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (kind, name, execution, step, created, encode(full)),
            )
        return HostingRecord(kind, name, execution, step, created, full)

    def find(self, kind: Kind, name: str) -> HostingRecord | None:
        """Return what has a kind and a name; None where nothing has."""
        rows = self._store.query("SELECT * FROM hosting WHERE kind = ? AND name = ?", (kind, name))
        return _record(rows[0]) if rows else None

    def all(self, kind: Kind) -> list[HostingRecord]:
        """Return everything of a kind, latest first."""
        rows = self._store.query(
            "SELECT * FROM hosting WHERE kind = ? ORDER BY created DESC", (kind,)
        )
        return [_record(row) for row in rows]

    def components_of(self, endpoint: str) -> list[HostingRecord]:
        """Return the inference components of an endpoint, latest first."""
        return [
            each
            for each in self.all("InferenceComponent")
            if each.description.get("EndpointName") == endpoint
        ]


def _record(row: sqlite3.Row) -> HostingRecord:
    return HostingRecord(**{**dict(row), "description": decode(row["description"])})

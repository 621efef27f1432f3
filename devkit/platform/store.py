"""The platform's database: context properties of connectors, cases and alerts."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path


class ContextStore:
    """Texts keyed by context type, identifier and key, in SQLite.

    Args:
        path: The database file, made if it is not there; None keeps everything in memory.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._lock = threading.Lock()  # one connection, used by the server's threads in turn
        self._db = sqlite3.connect(path or ":memory:", check_same_thread=False)
        with self._lock, self._db:
            self._db.execute(
                "CREATE TABLE IF NOT EXISTS context (context_type INTEGER, identifier TEXT, key TEXT, value TEXT,"
                " PRIMARY KEY (context_type, identifier, key))"
            )

    def get(self, context_type: int, identifier: str, key: str) -> str | None:
        """Return a text, or None."""
        with self._lock:
            row = self._db.execute(
                "SELECT value FROM context WHERE context_type = ? AND identifier = ? AND key = ?",
                (context_type, identifier, key),
            ).fetchone()
        return None if row is None else str(row[0])

    def set(self, context_type: int, identifier: str, key: str, value: str) -> None:
        """Store a text; it is on disk when this returns."""
        with self._lock, self._db:
            self._db.execute(
                "INSERT OR REPLACE INTO context VALUES (?, ?, ?, ?)", (context_type, identifier, key, value)
            )

    def all(self, context_type: int, identifier: str) -> dict[str, str]:
        """Return every key of an identifier with its text."""
        with self._lock:
            rows = self._db.execute(
                "SELECT key, value FROM context WHERE context_type = ? AND identifier = ? ORDER BY key",
                (context_type, identifier),
            ).fetchall()
        return dict(rows)

    def clear(self) -> None:
        """Forget everything."""
        with self._lock, self._db:
            self._db.execute("DELETE FROM context")

    def close(self) -> None:
        """Close the database."""
        with self._lock:
            self._db.close()

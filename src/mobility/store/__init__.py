"""SQL, cache and locks: the only place that knows a database."""

from mobility.store.cache import Cache, Locks, MemoryCache, MemoryLocks
from mobility.store.engine import open_database
from mobility.store.journal import SqlJournal
from mobility.store.schema import SCHEMA_HEAD, current_revision, upgrade

__all__ = [
    "SCHEMA_HEAD",
    "Cache",
    "Locks",
    "MemoryCache",
    "MemoryLocks",
    "SqlJournal",
    "current_revision",
    "open_database",
    "upgrade",
]

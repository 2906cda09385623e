"""The one settings object: where the home is and how the program runs."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Settings from the environment (prefix ``MOBILITY_``), overridden by options of the call.

    Parameters
    ----------
    home : Path
        Folder of everything that changes: editions, events, state.
    database_url : str
        SQLAlchemy URL; empty for SQLite in the home.
    redis_url : str
        Redis URL of the shared cache; so far every process has its own stand-in, whatever is set.
    host, port : str, int
        Address the server binds to.
    workers : int
        Processes that answer; each maps the same edition and has its own threads.
    open_editions : int
        Editions that a worker holds open: the one in use, and those asked for by their hash.
    log_json : bool
        JSON lines instead of text on stderr.
    fetch_private : bool
        Feeds may also be fetched over http and from private addresses: for tests and closed
        networks.
    now : str
        A fixed instant (RFC 3339) for demos and tests instead of the system clock.
    """

    model_config = SettingsConfigDict(env_prefix="MOBILITY_", extra="ignore")

    home: Path = Path(".mobility")
    database_url: str = ""
    redis_url: str = ""
    host: str = "127.0.0.1"
    port: int = Field(default=8400, ge=1, le=65535)
    workers: int = Field(default=2, ge=1, le=64)
    open_editions: int = Field(default=3, ge=2, le=64)
    log_json: bool = False
    fetch_private: bool = False
    now: str = ""

    def database(self) -> str:
        """Return the SQLAlchemy URL in force."""
        return self.database_url or f"sqlite:///{self.home / 'state.db'}"

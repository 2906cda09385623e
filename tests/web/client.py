"""A client that calls an application in memory, start and stop included."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx2
from starlette.applications import Starlette


class AppClient:
    """Calls one application in its own event loop; failures come back as answers."""

    def __init__(self, app: Starlette) -> None:
        self.app = app
        self._runner = asyncio.Runner()
        self._lifespan: Any = None

    def __enter__(self) -> AppClient:
        self._lifespan = self.app.router.lifespan_context(self.app)
        self._runner.run(self._lifespan.__aenter__())
        return self

    def __exit__(self, *_: object) -> None:
        self._runner.run(self._lifespan.__aexit__(None, None, None))
        self._runner.close()

    def request(self, method: str, address: str, **options: Any) -> httpx2.Response:
        """Return the answer to one request."""
        return self.requests([(method, address, options)])[0]

    def get(self, address: str, **options: Any) -> httpx2.Response:
        """Return the answer to a GET."""
        return self.request("GET", address, **options)

    def post(self, address: str, **options: Any) -> httpx2.Response:
        """Return the answer to a POST."""
        return self.request("POST", address, **options)

    def wait_ready(self) -> None:
        """Return when the application says that it is ready."""

        async def ready() -> None:
            transport = httpx2.ASGITransport(app=self.app)
            async with httpx2.AsyncClient(transport=transport, base_url="http://test") as client:
                while (await client.get("/readyz")).status_code != 200:
                    await asyncio.sleep(0.05)

        self._runner.run(ready())

    def requests(self, calls: list[tuple[str, str, dict[str, Any]]]) -> list[httpx2.Response]:
        """Return the answers to requests made at the same time, in their order."""
        return self._runner.run(self._gather(calls))

    async def _gather(self, calls: list[tuple[str, str, dict[str, Any]]]) -> list[httpx2.Response]:
        transport = httpx2.ASGITransport(app=self.app, raise_app_exceptions=False)
        async with httpx2.AsyncClient(transport=transport, base_url="http://test") as client:
            return await asyncio.gather(*(client.request(m, a, **o) for m, a, o in calls))

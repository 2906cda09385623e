"""The application: routes, limits, problems, OpenAPI and pages around one edition."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

import mobility
from mobility.api.limits import Gate, Limits
from mobility.api.live_routes import live_routes
from mobility.api.models import ProblemDocument
from mobility.api.problems import install_problem_handlers
from mobility.api.region_desk import RegionDesk
from mobility.api.region_pages import RegionPages
from mobility.api.region_routes import region_data_routes
from mobility.api.routes import (
    health_routes,
    journey_routes,
    place_routes,
    region_routes,
    scenario_routes,
)
from mobility.api.scenarios import ScenarioDesk
from mobility.api.site import Site, SitePages
from mobility.api.whatnow import WhatNowDesk
from mobility.core.settings import Settings
from mobility.core.time import Clock, system_clock
from mobility.network import Edition, open_edition
from mobility.web import install_now_page, install_pages, install_region_pages

LOG = logging.getLogger(__name__)
TITLE = "mobility"
DESCRIPTION = (
    "Journeys across operators and countries, the tickets they need and how each price is split. "
    "Every answer names its versions; failures are problem documents (RFC 9457); money is whole "
    "minor units; times are RFC 3339 in the zone of the place."
)


def create_app(
    edition_path: Path,
    settings: Settings | None = None,
    clock: Clock = system_clock,
    *,
    limits: Limits | None = None,
) -> FastAPI:
    """Return the application that serves an edition.

    The edition is opened here, so that a wrong folder is told before a port is bound.

    Raises
    ------
    InputError
        No edition is there.
    FormatVersionError
        It has another format version.
    """
    home = settings.home if settings else None  # all else of it concerns the caller
    return app_for(open_edition(edition_path), clock, limits or Limits(), home=home)


def app_for(edition: Edition, clock: Clock, limits: Limits, *, home: Path | None = None) -> FastAPI:
    """Return the application around an open edition; feeds' versions are looked up in the home."""
    site = Site(edition, clock, limits, home)
    desk = ScenarioDesk(site.served)
    now = WhatNowDesk(site.served)
    region = RegionDesk(edition, clock, site.facts.tz, home)

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        site.watch.start()
        warming = asyncio.get_running_loop().run_in_executor(None, _warm_up, site)
        try:
            yield
        finally:
            await warming
            site.watch.close()
            site.bench.close()
            desk.close()

    app = FastAPI(
        title=TITLE,
        version=mobility.__version__,
        description=DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/v1/openapi.json",
        lifespan=lifespan,
        generate_unique_id_function=lambda route: route.name,
    )
    app.add_middleware(Gate, limits=limits)
    install_problem_handlers(app)
    for router in (
        journey_routes(site),
        live_routes(site, now),
        place_routes(site),
        region_routes(site),
        region_data_routes(site, region),
        scenario_routes(site, desk),
        health_routes(site),
    ):
        app.include_router(router)
    pages = SitePages(site, now)
    install_pages(app, pages)
    install_now_page(app, pages)
    install_region_pages(app, RegionPages(site, region))
    app.openapi = lambda: openapi_document(app)  # type: ignore[method-assign]  # FastAPI's own way
    return app


def _warm_up(site: Site) -> None:
    """Warm the site up; a failure is logged and leaves it not ready."""
    try:
        site.warm_up()
    except Exception:
        LOG.exception("the first question could not be answered")


def openapi_document(app: FastAPI) -> dict[str, Any]:
    """Return the OpenAPI document, every failure of it a problem document."""
    if app.openapi_schema:
        return app.openapi_schema
    document = get_openapi(
        title=app.title, version=app.version, description=app.description, routes=app.routes
    )
    schemas = document["components"]["schemas"]
    problem = ProblemDocument.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas.update(problem.pop("$defs", {}))
    schemas["ProblemDocument"] = problem
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    failure = {
        "description": "A problem document (RFC 9457).",
        "content": {
            "application/problem+json": {"schema": {"$ref": "#/components/schemas/ProblemDocument"}}
        },
    }
    for methods in document["paths"].values():
        for operation in methods.values():
            operation["responses"].pop("422", None)
            operation["responses"]["default"] = failure
    app.openapi_schema = document
    return document

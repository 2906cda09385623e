"""The application: routes, problems, OpenAPI and pages around each edition that is open."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.types import Scope

import mobility
from mobility.api.limits import Gate, Limits, Workbench
from mobility.api.live_routes import live_routes
from mobility.api.models import ProblemDocument
from mobility.api.problems import install_problem_handlers
from mobility.api.reach import ReachDesk
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
from mobility.api.switch import Opened, Standing, Switch, open_first
from mobility.api.timetable import TimetableDesk
from mobility.api.timetable_pages import TimetablePages
from mobility.api.timetable_routes import reach_routes, timetable_routes
from mobility.api.whatnow import WhatNowDesk
from mobility.core.settings import Settings
from mobility.core.time import Clock, system_clock
from mobility.network import Edition, open_edition
from mobility.network.current import EditionHome
from mobility.web import (
    install_now_page,
    install_pages,
    install_region_pages,
    install_timetable_pages,
)

TITLE = "mobility"
DESCRIPTION = (
    "Journeys across operators and countries, the tickets they need and how each price is split. "
    "Every answer names its versions; failures are problem documents (RFC 9457); money is whole "
    "minor units; times are RFC 3339 in the zone of the place."
)
DEADLINE = {
    "name": "Request-Timeout",
    "in": "header",
    "required": False,
    "description": "Seconds that the caller waits at most; less than the server allows, not more.",
    "schema": {"type": "number", "exclusiveMinimum": 0, "examples": [2.5]},
}

# FastAPI makes the routes of a router at the first request that it looks at, and in doing so
# touches what all threads share (the filters of warnings): so they are made where an edition is
# opened, by a request for nothing, never beside the next edition.
NOWHERE: Scope = {"type": "http", "method": "GET", "path": "/", "root_path": "", "headers": []}

EDITION_PARAMETER = {
    "name": "edition",
    "in": "query",
    "required": False,
    "description": "Answer from this edition (its hash as versions name it, or the first 12 "
    "characters or more), though another one may be in use; the default is the one in use.",
    "schema": {"type": "string", "pattern": "^[0-9a-f]{12,64}$", "title": "Edition"},
}


def create_app(
    edition_path: Path | None,
    settings: Settings | None = None,
    clock: Clock = system_clock,
    *,
    limits: Limits | None = None,
) -> Starlette:
    """Return the application that serves an edition.

    The edition is opened here, so that a wrong folder is told before a port is bound.

    Parameters
    ----------
    edition_path : Path or None
        Its folder; None: the edition in use in the home, whichever that is from now on.
    settings, clock, limits
        What else is not to be as usual.

    Raises
    ------
    InputError
        No edition is there.
    FormatVersionError
        It has another format version.
    """
    standing = Standing()
    bounds = limits or Limits()
    bench = Workbench(bounds)
    home = settings.home if settings else None  # all else of it concerns the caller

    def opener(path: Path) -> Opened:
        return opened_edition(open_edition(path), clock, bench, standing, home=home)

    followed = None
    if edition_path is None:
        followed = EditionHome((settings or Settings()).home)
        first = open_first(followed, opener, standing)
    else:
        first = opener(edition_path)
    kept = (settings or Settings()).open_editions
    switch = Switch(first, opener, followed, standing, kept=kept)

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with switch.running():
            yield
        bench.close()

    app = Starlette(routes=[Mount("/", switch)], lifespan=lifespan)
    app.add_middleware(Gate, limits=bounds)
    install_problem_handlers(app)
    return app


def opened_edition(
    edition: Edition,
    clock: Clock,
    bench: Workbench,
    standing: Standing,
    *,
    home: Path | None = None,
) -> Opened:
    """Return an open edition with the application around it.

    Parameters
    ----------
    edition, clock
        What answers, and what it calls now.
    bench : Workbench
        Threads, shared by all editions that are open.
    standing : Standing
        Whether another edition was to answer.
    home : Path, optional
        Where the feeds' versions are looked up.
    """
    site = Site(edition, clock, bench, home)
    desk = ScenarioDesk(site.served)
    region = RegionDesk(edition, clock, site.facts.tz, home, lambda: standing.not_opened)
    app = edition_app(site, desk, region)

    def close() -> None:
        site.watch.close()
        desk.close()

    return Opened(edition.hash, app, site.served.planner.days_asked, site.warm_up, close)


def edition_app(site: Site, desk: ScenarioDesk, region: RegionDesk) -> FastAPI:
    """Return the application of one edition: routes, pages, problems, OpenAPI."""
    timetable, now = TimetableDesk(site.served), WhatNowDesk(site.served)
    app = FastAPI(
        title=TITLE,
        version=mobility.__version__,
        description=DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/v1/openapi.json",
        generate_unique_id_function=lambda route: route.name,
    )
    install_problem_handlers(app)
    for router in (
        journey_routes(site),
        timetable_routes(site, timetable),
        reach_routes(site, ReachDesk(site.served)),
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
    install_timetable_pages(app, TimetablePages(site, now, timetable))
    install_region_pages(app, RegionPages(site, region))
    for route in app.routes:
        route.matches(NOWHERE)
    app.openapi = lambda: openapi_document(app)  # type: ignore[method-assign]  # FastAPI's own way
    return app


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
    for path, methods in document["paths"].items():
        for operation in methods.values():
            operation.setdefault("parameters", []).append(DEADLINE)
            if path.startswith("/api/"):
                operation["parameters"].append(EDITION_PARAMETER)
            operation["responses"].pop("422", None)
            operation["responses"]["default"] = failure
    app.openapi_schema = document
    return document

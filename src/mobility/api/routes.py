"""The routes of ``/api/v1``: journeys, fares, places, region, map, scenarios."""

from __future__ import annotations

from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from mobility.api import models
from mobility.api.answers import GeoJson, entity_tag, is_known, json_answer, unchanged
from mobility.api.limits import MAX_TEXT
from mobility.api.maps import line_layer, station_layer
from mobility.api.queries import (
    FaresQuery,
    JourneyQuery,
    PlacesQuery,
    RegionLanguage,
    ScenarioQuery,
)
from mobility.api.scenarios import ScenarioDesk
from mobility.api.site import Site
from mobility.api.timing import Timing


def _with_language(site: Site, request: Request, query: Any) -> Any:
    accepted = request.headers.get("accept-language")
    return query.model_copy(update={"language": site.language(query.language, accepted)})


def _journeys(site: Site, asked: JourneyQuery, timing: Timing) -> bytes:
    """Return the journeys document as bytes, made off the event loop."""
    document = site.served.journeys(asked, timing)
    with timing.part("json"):
        return orjson.dumps(document)


def journey_routes(site: Site) -> APIRouter:
    """Return the routes that plan and price."""
    router = APIRouter(prefix="/api/v1", tags=["journeys"])

    @router.get("/journeys", response_model=models.JourneysDocument)
    async def get_journeys(request: Request, query: Annotated[JourneyQuery, Query()]) -> Response:
        """Find journeys from a place to a place, each with the tickets it needs."""
        asked = _with_language(site, request, query)
        timed = asked.depart or asked.arrive
        moment = "" if timed else site.served.now_s()
        live = site.served.live_moment
        tag = entity_tag(site.served.versions, "journeys", asked.model_dump_json(), moment, live)
        if is_known(request, tag):
            return unchanged(tag)
        timing = Timing()
        response = json_answer(await site.answer(_journeys, site, asked, timing), tag)
        response.headers["Server-Timing"] = timing.header()
        return response

    @router.post("/fares", response_model=models.FaresDocument)
    async def post_fares(request: Request, query: FaresQuery) -> Response:
        """Price a question's journeys, or the one journey with the rides given."""
        asked = _with_language(site, request, query)
        return json_answer(await site.answer(site.served.fares, asked))

    return router


def place_routes(site: Site) -> APIRouter:
    """Return the routes on places."""
    router = APIRouter(prefix="/api/v1", tags=["places"])

    @router.get("/places", response_model=models.PlacesDocument)
    async def get_places(request: Request, query: Annotated[PlacesQuery, Query()]) -> Response:
        """Find places that a text may mean, best first; typing errors are forgiven."""
        tag = entity_tag(site.served.versions, "places", query.model_dump_json())
        if is_known(request, tag):
            return unchanged(tag)
        return json_answer(await site.answer(site.served.places, query.text, query.limit), tag)

    @router.get("/places/{place_id}", response_model=models.StationDocument)
    async def get_place(
        request: Request,
        place_id: Annotated[str, Path(min_length=1, max_length=MAX_TEXT)],
    ) -> Response:
        """Return one station with the operators' stops that form it."""
        tag = entity_tag(site.served.versions, "place", place_id)
        document = await site.answer(site.served.station, place_id)
        return unchanged(tag) if is_known(request, tag) else json_answer(document, tag)

    return router


def region_routes(site: Site) -> APIRouter:
    """Return the routes on the region and its map."""
    router = APIRouter(prefix="/api/v1", tags=["region"])

    @router.get("/region", response_model=models.RegionDocument)
    async def get_region(
        request: Request, language: Annotated[RegionLanguage | None, Query()] = None
    ) -> Response:
        """Return what is served: validity, languages, feeds, coverage, cards and passes."""
        chosen = site.language(language, request.headers.get("accept-language"))
        document = site.facts.document(site.served.now_s(), chosen)
        tag = entity_tag(site.served.versions, "region", chosen, document["now"])
        return unchanged(tag) if is_known(request, tag) else json_answer(document, tag)

    @router.get("/map/lines", response_model=models.GeoDocument, response_class=GeoJson)
    async def get_map_lines(request: Request) -> Response:
        """Return the paths of the lines as GeoJSON."""
        return await _layer(site, request, "lines", line_layer)

    @router.get("/map/stations", response_model=models.GeoDocument, response_class=GeoJson)
    async def get_map_stations(request: Request) -> Response:
        """Return the stations as GeoJSON; rank is the number of calls."""
        return await _layer(site, request, "stations", station_layer)

    return router


async def _layer(site: Site, request: Request, name: str, make: Any) -> Response:
    tag = entity_tag(site.served.versions, "map", name)
    if is_known(request, tag):
        return unchanged(tag)
    content = await site.answer(site.layer, name, make)
    headers = {"Cache-Control": "no-cache", "ETag": tag}
    return Response(content, media_type=GeoJson.media_type, headers=headers)


def scenario_routes(site: Site, desk: ScenarioDesk) -> APIRouter:
    """Return the route that compares timetables."""
    router = APIRouter(prefix="/api/v1", tags=["scenarios"])

    @router.post("/scenarios/compare", response_model=models.ComparisonDocument)
    async def post_scenario_compare(query: ScenarioQuery) -> Response:
        """Compare journeys before and after a change of the timetable; no revenue."""
        return json_answer(await site.answer(desk.compare, query))

    return router


def health_routes(site: Site) -> APIRouter:
    """Return the routes that tell whether the server lives and answers."""
    router = APIRouter(tags=["health"])

    @router.get("/livez", response_model=models.LiveDocument)
    async def livez() -> Response:
        """Say that the process lives."""
        return json_answer({"status": "ok"})

    @router.get("/readyz", response_model=models.LiveDocument)
    async def readyz() -> Response:
        """Say whether answers can be given."""
        answer = json_answer({"status": _status(site)})
        answer.status_code = 200 if site.readiness.warm else 503
        return answer

    @router.get("/api/v1/health", response_model=models.HealthDocument)
    async def get_health() -> Response:
        """Say whether answers can be given, and from which versions."""
        region = site.facts.document(site.served.now_s(), "")
        return json_answer(
            {
                "status": _status(site),
                "versions": site.served.versions,
                "valid_from": region["valid_from"],
                "valid_until": region["valid_until"],
            }
        )

    return router


def _status(site: Site) -> str:
    return "ok" if site.readiness.warm else "starting"

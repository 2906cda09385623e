"""The routes on the timetable and on what can be reached."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from mobility.api import timetable_models as models
from mobility.api.answers import GeoJson, bytes_answer, entity_tag, is_known, json_answer, unchanged
from mobility.api.reach import ReachDesk
from mobility.api.site import Site
from mobility.api.timetable import TimetableDesk
from mobility.api.timetable_queries import (
    DeparturesQuery,
    IsochroneQuery,
    MatrixQuery,
    OneToAllQuery,
    TripQuery,
)


def timetable_routes(site: Site, desk: TimetableDesk) -> APIRouter:
    """Return the routes on departures and whole runs."""
    router = APIRouter(prefix="/api/v1", tags=["timetable"])

    @router.get("/departures", response_model=models.BoardDocument)
    async def get_departures(
        request: Request, query: Annotated[DeparturesQuery, Query()]
    ) -> Response:
        """Return the departures of a stop or station, or its arrivals; each train once."""
        moment = "" if query.time else site.served.now_s()
        tag = entity_tag(site.served.versions, "departures", query.model_dump_json(), moment)
        if is_known(request, tag):
            return unchanged(tag)
        return json_answer(await site.answer(desk.departures, query), tag)

    @router.get("/trip", response_model=models.TripRunsDocument)
    async def get_trip(request: Request, query: Annotated[TripQuery, Query()]) -> Response:
        """Return the whole run of a trip, with the sections of all feeds that carry the train."""
        tag = entity_tag(site.served.versions, "trip", query.model_dump_json())
        if is_known(request, tag):
            return unchanged(tag)
        return json_answer(await site.answer(desk.trip, query), tag)

    return router


def reach_routes(site: Site, desk: ReachDesk) -> APIRouter:
    """Return the routes on what can be reached; answers come as bytes and are sent as they are."""
    router = APIRouter(prefix="/api/v1", tags=["reach"])

    async def told(
        request: Request, name: str, work: Callable[[Any], bytes], query: Any, media_type: str
    ) -> Response:
        moment = "" if query.depart or query.arrive else site.served.now_s()
        tag = entity_tag(site.served.versions, name, query.model_dump_json(), moment)
        if is_known(request, tag):
            return unchanged(tag)
        return bytes_answer(await site.answer(work, query), tag, media_type=media_type)

    @router.get("/one-to-all", response_model=models.OneToAllDocument)
    async def get_one_to_all(
        request: Request, query: Annotated[OneToAllQuery, Query()]
    ) -> Response:
        """Return every station in reach of a place (or from which it is), with travel times."""
        return await told(request, "one-to-all", desk.one_to_all, query, "application/json")

    @router.get("/isochrone", response_model=models.IsochroneDocument, response_class=GeoJson)
    async def get_isochrone(
        request: Request, query: Annotated[IsochroneQuery, Query()]
    ) -> Response:
        """Return the areas in reach within minutes, as GeoJSON."""
        return await told(request, "isochrone", desk.isochrone, query, GeoJson.media_type)

    @router.post("/matrix", response_model=models.MatrixDocument)
    async def post_matrix(query: MatrixQuery) -> Response:
        """Return travel times from many origins to many destinations."""
        return bytes_answer(await site.answer(desk.matrix, query))

    return router

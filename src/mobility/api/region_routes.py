"""The routes of ``/api/v1/region/…``: how the region's data stand, open to all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from mobility.api import region_models as models
from mobility.api.answers import entity_tag, is_known, json_answer, unchanged
from mobility.api.limits import MAX_TEXT
from mobility.api.queries import RegionLanguage
from mobility.api.region_desk import RegionDesk
from mobility.api.region_queries import CoverageQuery, MatchesQuery, NoticesQuery, TrainQuery
from mobility.api.site import Site


def region_data_routes(site: Site, desk: RegionDesk) -> APIRouter:
    """Return the routes on feeds, notices, matches, one station and one train."""
    router = APIRouter(prefix="/api/v1/region", tags=["region data"])

    async def told(request: Request, name: str, work: Callable[..., Any], query: Any) -> Response:
        """Answer what depends on the edition and the day alone, unless the caller has it."""
        asked = query if isinstance(query, str) else query.model_dump_json()
        tag = entity_tag(site.served.versions, name, asked, desk.status.today())
        if is_known(request, tag):
            return unchanged(tag)
        return json_answer(await site.answer(work, query), tag)

    @router.get("/status", response_model=models.RegionStatusDocument)
    async def get_region_status(
        request: Request, language: Annotated[RegionLanguage | None, Query()] = None
    ) -> Response:
        """Return feeds, versions, alarms and what the manifest states; nothing confidential."""
        chosen = site.language(language, request.headers.get("accept-language"))
        return json_answer(await site.answer(desk.overview, chosen))

    @router.get("/coverage", response_model=models.CoverageDocument)
    async def get_region_coverage(
        request: Request, query: Annotated[CoverageQuery, Query()]
    ) -> Response:
        """Return how many trips each feed has on each day of a span."""
        return await told(request, "coverage", desk.status.coverage, query)

    @router.get("/notices", response_model=models.NoticesDocument)
    async def get_region_notices(
        request: Request, query: Annotated[NoticesQuery, Query()]
    ) -> Response:
        """Return what was found in the feeds when the edition was built."""
        return await told(request, "notices", desk.status.notices, query)

    @router.get("/matches/stations", response_model=models.StationMatchesDocument)
    async def get_station_matches(
        request: Request, query: Annotated[MatchesQuery, Query()]
    ) -> Response:
        """Return the pairs of stops that were judged to be one station or not, with evidence."""
        return await told(request, "station matches", desk.station_matches, query)

    @router.get("/matches/trains", response_model=models.TrainMatchesDocument)
    async def get_train_matches(
        request: Request, query: Annotated[MatchesQuery, Query()]
    ) -> Response:
        """Return the pairs of trips that were judged to be one train or not, with evidence."""
        return await told(request, "train matches", desk.train_matches, query)

    @router.get("/stations/{station_id}", response_model=models.RegionStationDocument)
    async def get_region_station(
        request: Request,
        station_id: Annotated[str, Path(min_length=1, max_length=MAX_TEXT)],
    ) -> Response:
        """Return the stops that form a station, and on what evidence."""
        return await told(request, "station", desk.matches.station, station_id)

    @router.get("/trains", response_model=models.RegionTrainDocument)
    async def get_region_train(request: Request, query: Annotated[TrainQuery, Query()]) -> Response:
        """Return the train that carries a trip: sections, provenance, what it was compared with."""
        return await told(request, "train", desk.train, query)

    return router

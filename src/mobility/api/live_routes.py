"""The routes of the running day: alerts, and what now."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from mobility.api import models
from mobility.api.answers import json_answer
from mobility.api.queries import AlertsQuery, WhatNowQuery
from mobility.api.site import Site
from mobility.api.whatnow import WhatNowDesk


def live_routes(site: Site, desk: WhatNowDesk) -> APIRouter:
    """Return the routes that tell of the running day."""
    router = APIRouter(prefix="/api/v1", tags=["live"])

    @router.get("/alerts", response_model=models.AlertsDocument)
    async def get_alerts(request: Request, query: Annotated[AlertsQuery, Query()]) -> Response:
        """Return the operators' alerts that hold now or later, with the age of the data."""
        served, live = site.served, site.served.planner.live
        language = site.language(query.language, request.headers.get("accept-language"))
        return json_answer(
            {
                "versions": served.versions_with(live),
                "realtime": served.live.realtime(live, served.now_s()),
                "alerts": served.live.alerts(live, served.now_s(), language, query.feed),
            }
        )

    @router.post("/what-now", response_model=models.WhatNowDocument)
    async def post_what_now(request: Request, query: WhatNowQuery) -> Response:
        """Say how a chosen journey stands now; where it has broken, how to go on."""
        language = site.language(query.language, request.headers.get("accept-language"))
        asked = query.model_copy(update={"language": language})
        return json_answer(await site.answer(desk.answer, asked))

    return router

"""The review's own small server: one person, one machine, one sitting.

It listens on the loopback address alone. Nobody gets in without the random token of the address;
what is written comes with a second token from a page of ours, from this very origin.
"""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import AsyncIterator
from urllib.parse import parse_qsl

from fastapi import FastAPI, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send

from mobility.api.limits import Gate, Limits
from mobility.api.problems import (
    NotFoundError,
    install_problem_handlers,
    new_trace_id,
    problem_response,
)
from mobility.core.errors import UsageError
from mobility.merge.review.desk import Desk
from mobility.web.bundle import ASSET_FOLDER
from mobility.web.review_pages import ReviewPages

FORM = "application/x-www-form-urlencoded"
MAX_FIELDS = 10


class ForbiddenError(UsageError):
    """A call that does not come from a page of ours."""

    http_status = 403


def new_token() -> str:
    """Return 128 random bits for an address or a form."""
    return secrets.token_urlsafe(16)


class Door:
    """ASGI layer: lets in who names this host and the token; writes from this origin alone.

    A page elsewhere can make a browser call a local address, but it cannot name our token, nor
    send our origin; a foreign host name that points here (DNS rebinding) is refused.
    """

    def __init__(self, app: ASGIApp, *, hosts: frozenset[str], token: str) -> None:
        self._app = app
        self._hosts = hosts
        self._token = token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        if scope["type"] == "http":
            refused = self._refused(Request(scope))
            if refused is not None:
                await problem_response(refused, new_trace_id())(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _refused(self, request: Request) -> UsageError | None:
        host = request.headers.get("host", "")
        if host not in self._hosts:
            return ForbiddenError("this server answers to its own address alone")
        path = request.url.path
        if not path.startswith("/assets/"):
            named = path.split("/")[1].encode()
            if not secrets.compare_digest(named, self._token.encode()):
                return NotFoundError("nothing is here; use the whole address that was printed")
        if request.method not in ("GET", "HEAD"):
            origin = request.headers.get("origin")
            if origin != f"http://{host}":
                return ForbiddenError("answers are taken from pages of this server alone")
        return None


def review_app(desk: Desk, *, port: int, token: str, limits: Limits | None = None) -> FastAPI:
    """Return the application that shows a desk's candidates and takes answers.

    Parameters
    ----------
    desk : Desk
    port : int
        On which it will listen: part of the host names that it answers to.
    token : str
        First part of every address (`new_token`).
    limits : Limits, optional
    """
    csrf = new_token()
    root = f"/{token}"
    pages = ReviewPages(desk, root, csrf)

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        try:
            yield
        finally:
            pages.close()

    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, lifespan=lifespan)
    app.add_middleware(
        Door, hosts=frozenset({f"127.0.0.1:{port}", f"localhost:{port}"}), token=token
    )
    app.add_middleware(Gate, limits=limits or Limits())
    install_problem_handlers(app)

    async def overview(request: Request) -> Response:
        return _kept_here(await run_in_threadpool(pages.overview, request))

    async def candidate(request: Request, key: str) -> Response:
        return _kept_here(await run_in_threadpool(pages.candidate, request, key))

    async def effect(request: Request, key: str) -> Response:
        return _kept_here(await run_in_threadpool(pages.effect, request, key))

    async def answer(request: Request) -> Response:
        form = await _form(request, csrf)
        return _kept_here(await run_in_threadpool(pages.answer, form))

    async def undo(request: Request) -> Response:
        form = await _form(request, csrf)
        return _kept_here(await run_in_threadpool(pages.undo, form))

    app.add_api_route(f"{root}/", overview, methods=["GET"])
    app.add_api_route(f"{root}/c/{{key}}", candidate, methods=["GET"])
    app.add_api_route(f"{root}/c/{{key}}/effect", effect, methods=["GET"])
    app.add_api_route(f"{root}/answer", answer, methods=["POST"])
    app.add_api_route(f"{root}/undo", undo, methods=["POST"])
    app.mount("/assets", StaticFiles(directory=ASSET_FOLDER), name="assets")
    return app


def _kept_here(response: Response) -> Response:
    """Return the response with what keeps the token on this origin and out of caches."""
    # Without a referrer policy of its own a browser would send no origin with our forms.
    response.headers["Referrer-Policy"] = "same-origin"
    response.headers["Cache-Control"] = "no-store"
    return response


async def _form(request: Request, csrf: str) -> dict[str, str]:
    """Return a form's fields.

    Raises
    ------
    UsageError
        It is no form.
    ForbiddenError
        It lacks the token that our pages carry.
    """
    if request.headers.get("content-type", "").partition(";")[0] != FORM:
        raise UsageError(f"the body is no {FORM}")
    try:
        text = (await request.body()).decode("ascii")
        fields = dict(parse_qsl(text, keep_blank_values=True, max_num_fields=MAX_FIELDS))
    except ValueError:
        raise UsageError("the form cannot be read") from None
    if not secrets.compare_digest(fields.get("csrf", "").encode(), csrf.encode()):
        raise ForbiddenError("the form is of another sitting: load the page again")
    return fields

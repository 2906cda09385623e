"""Problem documents (RFC 9457) out of the tree of errors, and the errors that only HTTP knows."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Sequence
from typing import Any

import orjson
from fastapi import Request
from fastapi.exceptions import RequestValidationError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.responses import Response

from mobility.api.headers import SECURITY_HEADERS
from mobility.core.errors import EnvironmentFault, MobilityError, UsageError

LOG = logging.getLogger(__name__)
TYPE_PREFIX = "urn:mobility:problem:"

TITLES = {
    "internal": "Our own fault",
    "input": "The input is at fault",
    "feed": "A feed cannot be read",
    "manifest": "A document is malformed",
    "format-version": "Another format version",
    "unknown-place": "Unknown place",
    "unknown-trip": "Unknown trip",
    "ambiguous-place": "Ambiguous place",
    "time": "Not a valid time",
    "date-outside": "Outside the timetable's validity",
    "event": "An event cannot be read",
    "money": "Not a valid amount",
    "usage": "The call is malformed",
    "check-failed": "A check says no",
    "environment": "The environment fails us",
    "not-found": "Not found",
    "unknown-edition": "Unknown edition",
    "unknown-journey": "Unknown journey",
    "too-large": "Too large",
    "busy": "Too many calls at once",
    "time-limit": "Time limit reached",
    "caller-gone": "The caller went away",
}


class NotFoundError(UsageError):
    """No such address."""

    http_status = 404
    problem = "not-found"


class MethodError(UsageError):
    """The address does not answer to this method."""

    http_status = 405


class UnknownEditionError(UsageError):
    """No edition of this hash is kept here."""

    http_status = 404
    problem = "unknown-edition"


class UnknownJourneyError(UsageError):
    """A journey reference that the edition does not answer with."""

    http_status = 404
    problem = "unknown-journey"


class TooLargeError(UsageError):
    """A body or an address above the limit."""

    http_status = 413
    problem = "too-large"


class BusyError(EnvironmentFault):
    """More calls wait than the server takes."""

    http_status = 503
    problem = "busy"


class CallerGoneError(EnvironmentFault):
    """The caller went away; nobody reads this."""

    http_status = 499
    problem = "caller-gone"


class TimeLimitError(EnvironmentFault):
    """The answer takes longer than the server allows."""

    http_status = 504
    problem = "time-limit"


def new_trace_id() -> str:
    """Return 128 random bits in hexadecimal, as in W3C trace context."""
    return secrets.token_hex(16)


def trace_id_of(request: Request) -> str:
    """Return the id under which this request is logged."""
    trace_id = request.scope.get("trace_id")
    return trace_id if isinstance(trace_id, str) else new_trace_id()


def problem_document(
    error: MobilityError, trace_id: str, fields: Sequence[dict[str, str]] = ()
) -> dict[str, Any]:
    """Return the problem document of an error.

    Faults of our own keep their details in the log.

    Source: RFC 9457, section 3.

    >>> problem_document(UsageError("from is missing"), "1f")["type"]
    'urn:mobility:problem:usage'
    """
    ours = error.http_status == MobilityError.http_status
    document: dict[str, Any] = {
        "type": TYPE_PREFIX + error.problem,
        "title": TITLES.get(error.problem, error.problem),
        "status": error.http_status,
        "detail": "The log tells more under the trace id." if ours else str(error),
        "trace_id": trace_id,
    }
    if fields:
        document["errors"] = list(fields)
    return document


def problem_response(
    error: MobilityError, trace_id: str, fields: Sequence[dict[str, str]] = ()
) -> Response:
    """Return the problem as a response."""
    headers = {"Retry-After": "1"} if isinstance(error, BusyError) else None
    return Response(
        orjson.dumps(problem_document(error, trace_id, fields)),
        status_code=error.http_status,
        media_type="application/problem+json",
        headers=headers,
    )


def _field_of(item: dict[str, Any]) -> str:
    """Return the name of the member at fault; what concerns all of them has their place's name."""
    place, *path = item["loc"]
    if not path or item["type"] == "json_invalid":
        return str(place)
    return ".".join(str(part) for part in path)


def _field_errors(error: RequestValidationError) -> list[dict[str, str]]:
    return [
        {
            "field": _field_of(item),
            "message": str(item["msg"]).removeprefix("Value error, "),
        }
        for item in error.errors()
    ]


async def _on_mobility_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, MobilityError)
    trace_id = trace_id_of(request)
    if error.http_status == MobilityError.http_status:
        LOG.error("fault %s at %s", trace_id, request.url.path, exc_info=error)
    return problem_response(error, trace_id)


async def _on_validation_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    fields = _field_errors(error)
    text = "; ".join(f"{item['field']}: {item['message']}" for item in fields)
    return problem_response(UsageError(text), trace_id_of(request), fields)


async def _on_http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if isinstance(error.__cause__, MobilityError):  # raised while the body was read
        return problem_response(error.__cause__, trace_id_of(request))
    kinds: dict[int, type[MobilityError]] = {404: NotFoundError, 405: MethodError}
    kind = kinds.get(error.status_code, UsageError)
    problem = problem_response(
        kind(f"{request.method} {request.url.path}: {error.detail}"), trace_id_of(request)
    )
    for name, value in (error.headers or {}).items():
        problem.headers[name] = value
    return problem


async def _on_any_error(request: Request, error: Exception) -> Response:
    trace_id = trace_id_of(request)
    LOG.error("fault %s at %s", trace_id, request.url.path, exc_info=error)
    response = problem_response(MobilityError(), trace_id)
    response.headers.update({**SECURITY_HEADERS, "Trace-Id": trace_id})  # outside of the gate
    return response


def install_problem_handlers(app: Starlette) -> None:
    """Make every failure of the app a problem document."""
    app.add_exception_handler(MobilityError, _on_mobility_error)
    app.add_exception_handler(RequestValidationError, _on_validation_error)
    app.add_exception_handler(HTTPException, _on_http_error)
    app.add_exception_handler(Exception, _on_any_error)

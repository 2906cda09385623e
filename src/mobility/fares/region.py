"""Whether a tariff and the feeds of its region speak of the same agencies, routes and stops."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from mobility.core.notices import Notice
from mobility.fares.read import TariffSource

MAX_NAMED = 5  # examples told in a notice


def check_against_region(
    source: TariffSource,
    *,
    agencies: Collection[str],
    routes: Collection[str],
    stops: Collection[str],
) -> tuple[Notice, ...]:
    """Return what one side names and the other lacks: each is a price that will be unknown.

    Parameters
    ----------
    agencies : collection of ``feed:agency_id``
    routes : collection of ``feed:route_id`` and ``feed:route_short_name``
    stops : collection of ``feed:stop_id``
    """
    tariff = source.tariff
    named_agencies = {agency for party in tariff.parties for agency in party.agencies}
    named_routes = {route for line in tariff.lines for route in line.routes}
    named_stops = {row.stop for row in source.zones}
    found = (
        _notice(
            "tariff_agency_not_in_feeds",
            "tariff.toml",
            named_agencies - set(agencies),
            "no feed has this agency: its party carries nothing",
        ),
        _notice(
            "tariff_route_not_in_feeds",
            "tariff.toml",
            named_routes - set(routes),
            "no feed has this route: rules and contracts that name its line do not hold",
        ),
        _notice(
            "tariff_stop_not_in_feeds",
            "zones.csv",
            named_stops - set(stops),
            "no feed has this stop: its zones are not used",
        ),
        _notice(
            "agency_without_party",
            "tariff.toml",
            set(agencies) - named_agencies,
            "no party of the tariff carries for this agency: its rides have no price",
        ),
    )
    return tuple(notice for notice in found if notice is not None)


def _notice(code: str, file: str, names: Iterable[str], message: str) -> Notice | None:
    """Return one notice for all names, with the first few as its value, or None for none."""
    ordered = sorted(names)
    if not ordered:
        return None
    listed = ", ".join(ordered[:MAX_NAMED]) + (" …" if len(ordered) > MAX_NAMED else "")
    return Notice(
        code, "warning", file=file, value=listed[:200], message=message, count=len(ordered)
    )

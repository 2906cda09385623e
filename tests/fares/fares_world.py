"""Small worlds for property tests: places on a line, two zone systems, random tariffs."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fares_sketch import make_journey, make_leg
from hypothesis import strategies as st

from mobility.fares import compile_tariff
from mobility.fares.read import TariffSource, ZoneRow
from mobility.fares.source import AgreementsFile, ProductsFile, TariffFile
from mobility.journey import Journey, Place

DATE = dt.date(2027, 5, 4)
N_PLACES = 9
CARRIERS = ("carrier-a", "carrier-b", "carrier-c")
SPAN = {"valid_from": dt.date(2027, 1, 1), "valid_until": dt.date(2027, 12, 31)}
ZONES = {  # place -> zones: system a in the west, b in the east, both in the middle
    0: ["a:1"], 1: ["a:1", "a:2"], 2: ["a:2"], 3: ["a:3", "b:1"], 4: ["a:3", "b:1"],
    5: ["b:1"], 6: ["b:2"], 7: ["b:3"], 8: [],
}  # fmt: skip
PLACES = {
    f"f:{i}": Place(f"f:{i}", "", f"Place {i}", 47.0 + i / 50, 7.5, "Europe/Zurich")
    for i in range(N_PLACES)
}
TARIFF: dict[str, Any] = {
    "format": 1,
    "id": "toy",
    "notice": {"en": "made up"},
    "between_tickets": {"en": "not protected"},
    "protections": {"inside": {"en": "protected"}},
    "comparison": {"currency": "EUR", "as_of": DATE, "rates": {"CHF": "1.07"}},
    "cut_points": ["cut:4"],
    "holidays": {"CH": [dt.date(2027, 5, 1), dt.date(2027, 5, 17)]},
    "parties": [
        {"id": "west", "name": {"en": "West"}, "roles": ["seller"], "country": "CH"},
        {"id": "east", "name": {"en": "East"}, "roles": ["seller"], "country": "DE"},
        {"id": "owner", "name": {"en": "Owner"}, "roles": ["revenue_owner"]},
        *(
            {"id": name, "name": {"en": name}, "roles": ["carrier"], "agencies": [f"f:{name}"]}
            for name in CARRIERS
        ),
    ],
    "systems": [
        {"id": "a", "name": {"en": "A"}, "adjacent": [["1", "2"], ["2", "3"]]},
        {"id": "b", "name": {"en": "B"}},
        {"id": "cut", "name": {"en": "cut"}, "kind": "places"},
        {"id": "land", "name": {"en": "country"}, "kind": "country"},
    ],
    "lines": [{"id": "line-x", "routes": ["f:x"]}, {"id": "line-y", "routes": ["f:y"]}],
}

amounts = st.sampled_from([0, 100, 200, 300, 400, 777])  # few, so that ties are common
sellers = st.sampled_from([("west", "CHF"), ("west", "EUR"), ("east", "EUR")])


@st.composite
def products(draw: st.DrawFn, name: str = "p") -> dict[str, Any]:
    """Return a random product of any basis."""
    basis = draw(st.sampled_from(["flat", "zones", "matrix", "distance", "pairs"]))
    systems = {"zones": ["a"], "matrix": ["a", "b"], "pairs": ["cut"]}.get(basis, [])
    tables: dict[str, st.SearchStrategy[Any]] = {
        "flat": amounts,
        "zones": st.lists(amounts, min_size=1, max_size=3),
        "matrix": st.lists(st.tuples(amounts, amounts).map(list), min_size=1, max_size=3),
        "distance": st.lists(amounts, min_size=1, max_size=3).map(
            lambda row: [[8 * (i + 1), amount] for i, amount in enumerate(row)]
        ),
        "pairs": st.just([{"between": ["4", "6"], "price": 100}]),
    }
    chosen = draw(st.lists(sellers, min_size=1, max_size=3, unique=True))
    zones = draw(st.sampled_from([["a"], ["b"], ["a", "b"], ["a:1", "a:2"], ["land"]]))
    scope: dict[str, Any] = {"zones": zones}
    if draw(st.booleans()):
        scope["except_lines"] = ["line-y"]
    return {
        "id": name,
        "name": {"en": name},
        "basis": "zones" if basis == "matrix" else basis,
        "systems": systems,
        "validity": draw(st.sampled_from([20, 60, 240, "day"])),
        **SPAN,
        "protects": "inside",
        "source": "made up",
        "scope": [scope],
        "reductions": [{"card": "half", "pay_percent": 50, "round_to_minor": 10}],
        "prices": [
            {"seller": s, "channel": "app", "currency": c, "price": draw(tables[basis])}
            for s, c in chosen
        ],
    }


@st.composite
def product_lists(draw: st.DrawFn, max_size: int = 6) -> list[dict[str, Any]]:
    """Return some random products with ids p0, p1, ..."""
    return [draw(products(name=f"p{i}")) for i in range(draw(st.integers(0, max_size)))]


def compile_world(items: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the compiled tariff of a world with these products."""
    rows = [
        ZoneRow(f"f:{place}", *zone.split(":"), 1) for place, zs in ZONES.items() for zone in zs
    ]
    rows += [ZoneRow(f"f:{place}", "cut", str(place), 1) for place in (4, 6)]
    rows += [
        ZoneRow(f"f:{place}", "land", "CH" if place < 5 else "DE", 1) for place in range(N_PLACES)
    ]
    content = ProductsFile.model_validate({"format": 1, "products": items})
    source = TariffSource(
        Path("toy"), TariffFile.model_validate(TARIFF), tuple(content.products), tuple(rows)
    )
    return compile_tariff(source, {})


def line_journey(places: Sequence[int], date: dt.date = DATE) -> Journey:
    """Return one ride by the first carrier that calls at the places, a minute apart."""
    sketch = {
        "departs": "08:00",
        "stops": [f"f:{place}" for place in places],
        "minutes": list(range(len(places))),
        "sections": [{"feed": "f", "agency": CARRIERS[0], "route": "x"}],
    }
    return make_journey([make_leg(sketch, date, PLACES)])


@st.composite
def journeys(draw: st.DrawFn, max_legs: int = 4) -> Journey:
    """Return a random ride of some legs along the line, some of them by two carriers."""
    legs, place, minute = [], draw(st.integers(0, N_PLACES - 1)), 6 * 60
    for _ in range(draw(st.integers(1, max_legs))):
        target = draw(st.integers(0, N_PLACES - 1).filter(lambda p, here=place: p != here))
        step = 1 if target > place else -1
        stops = list(range(place, target + step, step))
        if draw(st.booleans()):
            stops = [stops[0], stops[-1]]  # a fast train
        last = len(stops) - 1
        middle = draw(st.integers(0, last))
        bounds = sorted({0, middle, last})
        sections = [
            {"feed": "f", "agency": draw(st.sampled_from(CARRIERS)),
             "route": draw(st.sampled_from(["x", "y"])), "from": a, "to": b}
            for a, b in itertools.pairwise(bounds)
        ]  # fmt: skip
        sketch = {
            "departs": f"{minute // 60:02d}:{minute % 60:02d}",
            "stops": [f"f:{stop}" for stop in stops],
            "minutes": [6 * i for i in range(len(stops))],
            "sections": sections,
        }
        legs.append(make_leg(sketch, DATE, PLACES))
        minute += 6 * last + 5
        place = target
    return make_journey(legs)


@st.composite
def agreements(draw: st.DrawFn, product: str) -> dict[str, Any]:
    """Return compiled agreements with one random agreement for the product, and a contract."""
    method = draw(st.sampled_from(["M2", "M3", "M7", "M14", "fixed"]))
    agreement: dict[str, Any] = {
        "id": "split",
        "products": [product],
        **SPAN,
        "published": True,
        "method": method,
        "source": "made up",
        "within": ["a", "b"] if method == "M7" else draw(st.sampled_from([[], ["a"], ["land"]])),
        "without_rides": {"carrier-b": 2, "owner": 1},
        "residual": draw(st.sampled_from(["largest-remainder", "owner"])),
        "commissions": draw(
            st.lists(st.sampled_from(["0.05", "0.333", "1"]).map(lambda r: {"rate": r}), max_size=1)
        ),
    }
    if method == "M2":
        agreement["base"] = [product]
    if method == "fixed":
        agreement["shares"] = {"carrier-a": 1, "owner": draw(st.integers(1, 9))}
    contract = {
        "id": "east-of-the-border",
        "owner": "owner",
        "zones": [draw(st.sampled_from(["land:DE", "b", "a:2"]))],
        **SPAN,
        "published": True,
        "source": "made up",
    }
    content = AgreementsFile.model_validate(
        {"format": 1, "agreements": [agreement], "contracts": [contract]}
    )
    return content.model_dump(mode="json")

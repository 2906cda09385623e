"""The files of a region's fares as they are written: TOML models with a published JSON Schema.

Amounts are whole minor units (``420`` is CHF 4.20): a decimal point in a price is refused. Rates
are decimal texts (``"1.06"``), read as exact fractions. Ids are lower case; a zone is written
``system:zone``, a whole system by its id alone.
"""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt, StringConstraints

FORMAT = 1

Id = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]*$", max_length=64)]
ZoneRef = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]+(:[^:\s]+)?$", max_length=64)]
Country = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
Texts = Annotated[dict[str, str], Field(min_length=1)]
Rate = Annotated[str, StringConstraints(pattern=r"^\d{1,6}(\.\d{1,12})?$")]
Role = Literal[
    "carrier", "seller", "revenue_owner", "association", "competent_authority", "subsidy_payer"
]
Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun", "holiday"]
Basis = Literal["flat", "zones", "pairs", "distance", "persons"]
Method = Literal["M1", "M2", "M3", "M7", "M14", "fixed"]
MethodInside = Literal["M2", "M3", "M7", "M14", "fixed"]


class _Model(BaseModel):
    """Every key must be known; values are not changed after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Party(_Model):
    """Someone who carries, sells, owns revenue or pays; ``agencies`` are ``feed:agency_id``."""

    id: Id
    name: Texts
    roles: Annotated[list[Role], Field(min_length=1)]
    country: Country | None = None
    agencies: list[str] = []


class System(_Model):
    """A zone system.

    ``zones`` are counted, ``places`` are ends of point-to-point prices, the one ``country`` system
    says in which country a stop lies. ``adjacent`` lists neighbours, so that a train that passes a
    zone without stopping still crosses it.
    """

    id: Id
    name: Texts
    kind: Literal["zones", "places", "country"] = "zones"
    adjacent: list[Annotated[list[str], Field(min_length=2, max_length=2)]] = []


class Line(_Model):
    """A line that a rule can name; ``routes`` are ``feed:route_id`` or ``feed:published line``."""

    id: Id
    routes: Annotated[list[str], Field(min_length=1)]


class Comparison(_Model):
    """Rates that only rank tickets in different currencies; nobody is charged or paid by them.

    ``rates`` give units of ``currency`` for one unit of the other currency.
    """

    currency: str
    as_of: dt.date
    rates: dict[str, Rate] = {}


class TariffFile(_Model):
    """``tariff.toml``: parties, zone systems, lines, and texts that all products share."""

    format: Literal[1]
    id: Id
    notice: Texts
    parties: Annotated[list[Party], Field(min_length=1)]
    systems: list[System] = []
    lines: list[Line] = []
    cut_points: list[ZoneRef] = []
    comparison: Comparison | None = None
    holidays: dict[Country, list[dt.date]] = {}
    between_tickets: Texts
    protections: dict[Id, Texts] = {}


class Rule(_Model):
    """Where and when a product holds: a ride must obey one rule of its product as a whole.

    ``days``: a public holiday of the country where the ride begins is a ``holiday``, and a
    Saturday or Sunday too where it falls on one, but no other weekday.
    """

    zones: list[ZoneRef] = []
    lines: list[Id] = []
    except_lines: list[Id] = []
    carriers: list[Id] = []
    days: list[Day] = []
    recognised: StrictBool = False
    note: str = ""


class PairPrice(_Model):
    """The price between two places, the same both ways."""

    between: Annotated[list[str], Field(min_length=2, max_length=2)]
    price: StrictInt


Table = StrictInt | list[StrictInt] | list[list[StrictInt]] | list[PairPrice]


class PriceList(_Model):
    """What one seller asks in one currency; exactly one of ``price`` and ``parts``.

    The shape of a table follows the product's basis: ``flat`` one amount; ``zones`` a list by the
    number of zones, for two systems a list of lists; ``pairs`` a list of pairs; ``distance`` a
    list of ``[up to km, amount]``; ``persons`` a list by the number of persons. With ``parts`` the
    list price is the sum of the named parts.
    """

    seller: Id
    channel: Id
    currency: str
    price: Table | None = None
    parts: dict[Id, Table] = {}


class Reduction(_Model):
    """What a card or an age group pays of some parts, rounded up to ``round_to_minor``."""

    card: Id | None = None
    age_group: Id | None = None
    parts: list[Id] = []
    pay_percent: Annotated[StrictInt, Field(ge=0, le=100)]
    round_to_minor: Annotated[StrictInt, Field(ge=1, le=1000)] = 1


class Product(_Model):
    """A ticket for one journey (``single``) or a pass that the rider already holds (``pass``).

    ``touches`` are zones that the rides must all call at: a ticket that only serves to cross.
    """

    id: Id
    kind: Literal["single", "pass"] = "single"
    name: Texts
    basis: Basis
    systems: Annotated[list[Id], Field(max_length=2)] = []
    validity: StrictInt | list[StrictInt] | Literal["day", "month"]
    valid_from: dt.date
    valid_until: dt.date
    protects: Id
    touches: list[ZoneRef] = []
    scope: Annotated[list[Rule], Field(min_length=1)]
    prices: Annotated[list[PriceList], Field(min_length=1)]
    reductions: list[Reduction] = []
    source: str


class ProductsFile(_Model):
    """``products/*.toml``."""

    format: Literal[1]
    products: list[Product]


class Contract(_Model):
    """Who owns the revenue of a line section from a day to a day (both included)."""

    id: Id
    owner: Id
    carriers: list[Id] = []
    lines: list[Id] = []
    zones: list[ZoneRef] = []
    valid_from: dt.date
    valid_until: dt.date
    published: StrictBool
    source: str


class PartSplit(_Model):
    """How one part of a price is divided; ``within`` are the zones whose rides count for it."""

    part: Id
    method: MethodInside
    within: list[ZoneRef] = []
    base: list[Id] = []
    shares: dict[Id, StrictInt] = {}


class Commission(_Model):
    """What the seller keeps of a sale; without seller or channel it holds for all of them."""

    seller: Id | None = None
    channel: Id | None = None
    rate: Rate


class Agreement(_Model):
    """How the money of some products is divided from a day to a day (both included).

    ``method`` names a rule of the catalogue: M1 sum of parts, M2 stand-alone fares, M3 distance,
    M7 zones, M14 equally among those used, ``fixed`` shares. ``without_rides`` is the key for
    sales whose rides nobody knows.
    """

    id: Id
    products: Annotated[list[Id], Field(min_length=1)]
    valid_from: dt.date
    valid_until: dt.date
    published: StrictBool
    method: Method
    within: list[ZoneRef] = []
    base: list[Id] = []
    shares: dict[Id, StrictInt] = {}
    parts: list[PartSplit] = []
    commissions: list[Commission] = []
    residual: str = "largest-remainder"
    without_rides: dict[Id, StrictInt] = {}
    source: str


class AgreementsFile(_Model):
    """``agreements/*.toml``."""

    format: Literal[1]
    contracts: list[Contract] = []
    agreements: list[Agreement] = []


SCHEMAS: dict[str, type[BaseModel]] = {
    "tariff.json": TariffFile,
    "products.json": ProductsFile,
    "agreements.json": AgreementsFile,
}


def json_schema(name: str) -> dict[str, Any]:
    """Return the JSON Schema published under ``fares/schema/<name>``."""
    schema = SCHEMAS[name].model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}

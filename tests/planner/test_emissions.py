"""Emissions: grams by hand, countries of hops, what is unknown, tables that mean nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from mobility.core.errors import ManifestError
from mobility.journey import Place
from mobility.planner.emissions import Factors, emissions_of
from mobility.planner.published import (
    FACTOR_COLUMNS,
    FACTORS_FILE,
    read_published,
    read_rows,
    region_tables,
)

from .sketched import journey, place, ride, walk

HEADER = ",".join(FACTOR_COLUMNS)
TABLE = f"""{HEADER}
CH,rail,,electric,2020,10,with_infrastructure,,read,one
DE,rail,,mixed,2018,48,well_to_wheel,,read,two
EU,rail,,mixed,2018,33,well_to_wheel,,read,three
EU,bus,,,2018,80,well_to_wheel,,read,three
DE,car,,,2018,147,well_to_wheel,1.5,read,two
"""


def factors(table: str = TABLE) -> Factors:
    return Factors(read_rows(table, FACTORS_FILE, FACTOR_COLUMNS))


def country_of(where: Place) -> str | None:
    return {"A": "DE", "B": "DE", "C": "CH", "D": "CH"}.get(where.name)


A, B, C, D = (place(name, km) for name, km in (("A", 0), ("B", 20), ("C", 30), ("D", 60)))


def test_a_ride_over_the_border_is_shared_half_and_half_where_it_crosses() -> None:
    found = emissions_of(journey(ride([(A, 0), (B, 10), (C, 20), (D, 40)])), factors(), country_of)
    # DE: 20 km + half of 10 km = 25 km, times the detour 1.03 = 25.75 km, at 48 g: 1236 g;
    # CH: half of 10 km + 30 km = 35 km, times 1.03 = 36.05 km, at 10 g: 360.5 g.
    ((leg, parts),) = found.rides
    assert leg == 0
    assert [(p.country, p.metres, p.grams) for p in parts] == [
        ("DE", 25_750, 1236), ("CH", 36_050, 360),
    ]  # fmt: skip
    assert found.grams == 1236 + 360
    assert found.scopes == ("well_to_wheel", "with_infrastructure")
    # By car: 60 km times 1.32 = 79.2 km, at 147 g: 11,642.4 g, by the factor of where it begins.
    assert found.car is not None and (found.car.metres, found.car.grams) == (79_200, 11_642)
    assert found.car.factor.occupancy == 1.5


def test_a_hop_to_a_border_point_belongs_to_its_own_side() -> None:
    border = place("border", 24)
    found = emissions_of(
        journey(ride([(A, 0), (border, 12), (C, 20)], borders=("border",))), factors(), country_of
    )
    # 24 km in DE, 6 km in CH: no half of a hop crosses.
    ((_, parts),) = found.rides
    assert [(p.country, p.metres) for p in parts] == [("DE", 24_720), ("CH", 6_180)]


def test_the_feed_speaks_for_the_country_where_stations_do_not() -> None:
    found = emissions_of(journey(ride([(A, 0), (B, 10)], country="CH")), factors())
    assert [(p.country, p.grams) for p in found.rides[0][1]] == [("CH", 206)]  # 20.6 km at 10 g


def test_a_country_without_a_row_has_that_of_europe_and_says_so() -> None:
    found = emissions_of(journey(ride([(A, 0), (B, 10)], country="PT")), factors())
    (part,) = found.rides[0][1]
    assert part.factor is not None and part.factor.country == "EU"
    assert part.grams == round(20.6 * 33)


def test_a_vehicle_without_a_factor_is_unknown_and_never_zero() -> None:
    found = emissions_of(
        journey(ride([(A, 0), (B, 10)]), ride([(B, 12), (C, 20)], vehicle="ferry")), factors()
    )
    assert found.grams is None
    assert found.unknown_legs == (1,)
    assert found.rides[0][1][0].grams == 206


def test_an_operator_or_a_feed_with_a_row_of_its_own_is_judged_by_it() -> None:
    rows = (
        "DE,rail,f:fast,,2018,32,well_to_wheel,,read,y",
        "DE,rail,g,,2018,20,well_to_wheel,,read,z",
    )
    table = TABLE + "\n".join(rows)
    usual, fast = (ride([(A, 0), (B, 10)], country="DE", agency=name) for name in ("slow", "fast"))
    whole = fast._replace(sections=tuple(s._replace(feed="g") for s in fast.sections))
    found = [emissions_of(journey(leg), factors(table)).grams for leg in (usual, fast, whole)]
    assert found == [round(20.6 * 48), round(20.6 * 32), 412]


def test_walking_emits_nothing() -> None:
    found = emissions_of(journey(walk(A, B, 0, 30)), factors())
    assert found.grams == 0 and found.rides == ()


def test_the_usual_scope_wins_within_a_country_and_the_region_wins_over_what_is_shipped() -> None:
    rows = ("2020,9,with_infrastructure,,read,x", "2019,4,well_to_wheel,,read,y")
    table = "\n".join([HEADER, *(f"CH,rail,,,{row}" for row in rows)])
    both = factors(table).find("CH", "rail")
    assert both is not None and (both.g_per_pkm, both.scope) == (4, "well_to_wheel")
    own = Factors(read_published({FACTORS_FILE: table}).factors).find("CH", "rail")
    assert own is not None and own.g_per_pkm == 4


def test_every_shipped_factor_names_its_source_and_year() -> None:
    published = Factors(read_published().factors)
    for country in ("CH", "DE", "FR"):
        for vehicle in ("rail", "tram", "bus", "car"):
            factor = published.find(country, vehicle)
            assert factor is not None and factor.country == country
            assert factor.source and 2009 <= factor.year <= 2026 and factor.g_per_pkm > 0
    assert published.find("FR", "ferry") is None


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("ch,rail,,,2020,9,well_to_wheel,,read,x", "line 2: country 'ch'"),
        ("CH,rail,,,2020,much,well_to_wheel,,read,x", "g_per_pkm 'much': expected a number"),
        ("CH,rail,,,2020,nan,well_to_wheel,,read,x", "g_per_pkm 'nan'"),
        ("CH,rail,,,2020,-1,well_to_wheel,,read,x", "g_per_pkm '-1'"),
        ("CH,rail,,,2020,9,cradle,,read,x", "scope 'cradle': expected one of tank_to_wheel"),
        ("CH,rail,,,20,9,well_to_wheel,,read,x", "year '20'"),
        ("CH,rail,,,2020,9,well_to_wheel,0,read,x", "occupancy '0'"),
        ("CH,rail,,,2020,9,well_to_wheel,,hearsay,x", "checked 'hearsay'"),
        ("CH,,,,2020,9,well_to_wheel,,read,x", "vehicle ''"),
        ("CH,rail,,,2020,9,well_to_wheel,,read,", "source ''"),
        ("CH,rail,,,2020,9,well_to_wheel,,read", "expected 10 cells"),
        ("CH,rail,,,2020,9,well_to_wheel,,read,x,y", "expected 10 cells"),
    ],
)
def test_a_row_that_means_nothing_is_told_by_file_line_and_column(row: str, says: str) -> None:
    with pytest.raises(ManifestError) as raised:
        factors(f"{HEADER}\n{row}\n")
    assert says in str(raised.value) and str(raised.value).startswith(FACTORS_FILE)


def test_a_table_without_a_column_or_not_in_utf_8_is_told(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="expected the columns country, vehicle"):
        factors("country,vehicle\nCH,rail\n")
    (tmp_path / FACTORS_FILE).write_bytes(b"\xff\xfe")
    with pytest.raises(ManifestError, match="UTF-8"):
        region_tables(tmp_path)
    assert region_tables(tmp_path / "elsewhere") == {}

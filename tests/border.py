"""A border region in miniature: two feeds of five stops, two countries, two zones, two currencies.

``west`` runs in London time and is sold in GBP, ``east`` in Paris time and is sold in EUR. They
meet at Harbour, which each names its own way. Train 77 is listed by both, each to the border;
trains 100 and 200 only meet there. Bus 5 is in the way of nothing and can be cancelled.
"""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

FILES = {
    "feeds/strait/region.toml": """
        format = 1
        id = "strait"
        name = "The Strait"
        timezone = "Europe/London"
        languages = ["en", "fr"]
        [notice]
        en = "An example."
        fr = "Un exemple."
        [[feeds]]
        id = "west"
        path = "west"
        country = "GB"
        precedence = 10
        licence = "CC0-1.0"
        attribution = "made for tests"
        train_number = { column = "trip_short_name", pattern = "0*([0-9]+)" }
        [[feeds]]
        id = "east"
        path = "east"
        country = "FR"
        precedence = 20
        licence = "CC0-1.0"
        attribution = "made for tests"
        train_number = { column = "trip_short_name", pattern = "0*([0-9]+)" }
    """,
    "feeds/strait/west/agency.txt": """
        agency_id,agency_name,agency_url,agency_timezone
        WR,Western Rail,https://west.example,Europe/London
    """,
    "feeds/strait/west/stops.txt": """
        stop_id,stop_code,stop_name,stop_lat,stop_lon
        w1,,Alton,51.10,0.80
        w2,,Bexley,51.12,0.95
        w3,,Corby,51.14,1.10
        w4,,Dunmore,51.13,1.20
        w5,7012345,Harbour,51.12,1.30
    """,
    "feeds/strait/west/routes.txt": """
        route_id,agency_id,route_short_name,route_long_name,route_type
        R,WR,R,Alton - Harbour,2
        B5,WR,5,Corby - Dunmore,3
    """,
    "feeds/strait/west/trips.txt": """
        route_id,service_id,trip_id,trip_headsign,trip_short_name
        R,D,W77,Eastend,77
        R,D,W100,Harbour,100
        R,D,W102,Harbour,102
        B5,D,WB,Dunmore,
    """,
    "feeds/strait/west/stop_times.txt": """
        trip_id,arrival_time,departure_time,stop_id,stop_sequence
        W77,12:00:00,12:00:00,w1,1
        W77,12:20:00,12:21:00,w3,2
        W77,13:00:00,13:00:00,w5,3
        W100,08:00:00,08:00:00,w1,1
        W100,08:10:00,08:11:00,w2,2
        W100,08:25:00,08:26:00,w3,3
        W100,08:40:00,08:41:00,w4,4
        W100,09:00:00,09:00:00,w5,5
        W102,09:30:00,09:30:00,w1,1
        W102,10:30:00,10:30:00,w5,5
        WB,08:30:00,08:30:00,w3,1
        WB,09:10:00,09:10:00,w4,2
    """,
    "feeds/strait/west/calendar.txt": """
        service_id,monday,tuesday,wednesday,thursday,friday,saturday,sunday,start_date,end_date
        D,1,1,1,1,1,1,1,20270101,20271231
    """,
    "feeds/strait/east/agency.txt": """
        agency_id,agency_name,agency_url,agency_timezone
        CE,Chemins de l'Est,https://est.example,Europe/Paris
    """,
    "feeds/strait/east/stops.txt": """
        stop_id,stop_code,stop_name,stop_lat,stop_lon
        e1,7012345,Le Port,51.1202,1.3003
        e2,,Ferques,51.05,1.50
        e3,,Guînes,51.00,1.70
        e4,,Hames,50.95,1.90
        e5,,Eastend,50.90,2.10
    """,
    "feeds/strait/east/routes.txt": """
        route_id,agency_id,route_short_name,route_long_name,route_type
        T,CE,T,Le Port - Eastend,2
    """,
    "feeds/strait/east/trips.txt": """
        route_id,service_id,trip_id,trip_headsign,trip_short_name
        T,D,E77,Eastend,00077
        T,D,E200,Eastend,200
        T,D,E202,Eastend,202
    """,
    "feeds/strait/east/stop_times.txt": """
        trip_id,arrival_time,departure_time,stop_id,stop_sequence
        E77,14:04:00,14:04:00,e1,1
        E77,14:30:00,14:31:00,e3,2
        E77,14:58:00,14:58:00,e5,3
        E200,10:08:00,10:08:00,e1,1
        E200,10:20:00,10:21:00,e2,2
        E200,10:33:00,10:34:00,e3,3
        E200,10:45:00,10:46:00,e4,4
        E200,11:00:00,11:00:00,e5,5
        E202,11:38:00,11:38:00,e1,1
        E202,12:30:00,12:30:00,e5,2
    """,
    "feeds/strait/east/calendar.txt": """
        service_id,monday,tuesday,wednesday,thursday,friday,saturday,sunday,start_date,end_date
        D,1,1,1,1,1,1,1,20270101,20271231
    """,
    "fares/strait/tariff.toml": """
        format = 1
        id = "strait"
        notice = { en = "Invented prices." }
        between_tickets = { en = "A missed connection between two tickets is not protected." }
        [[parties]]
        id = "western"
        name = { en = "Western Rail" }
        roles = ["carrier", "seller", "revenue_owner"]
        country = "GB"
        agencies = ["west:WR"]
        [[parties]]
        id = "est"
        name = { en = "Chemins de l'Est" }
        roles = ["carrier", "seller", "revenue_owner"]
        country = "FR"
        agencies = ["east:CE"]
        [[systems]]
        id = "gb"
        name = { en = "West" }
        [[systems]]
        id = "fr"
        name = { en = "East" }
        [comparison]
        currency = "EUR"
        as_of = 2027-01-01
        rates = { GBP = "1.15" }
        [protections]
        through = { en = "One contract: carried on by the next train." }
    """,
    "fares/strait/zones.csv": """
        system,zone,stop
        gb,1,west:w1
        gb,1,west:w2
        gb,1,west:w3
        gb,1,west:w4
        gb,1,west:w5
        fr,1,east:e1
        fr,1,east:e2
        fr,1,east:e3
        fr,1,east:e4
        fr,1,east:e5
    """,
    "fares/strait/products/all.toml": """
        format = 1
        [[products]]
        id = "through"
        name = { en = "Strait through ticket" }
        basis = "flat"
        validity = 240
        valid_from = 2027-01-01
        valid_until = 2027-12-31
        protects = "through"
        source = "invented"
        scope = [{ zones = ["gb:1", "fr:1"] }]
        [[products.prices]]
        seller = "western"
        channel = "counter"
        currency = "GBP"
        price = 1501
        [[products.prices]]
        seller = "est"
        channel = "app"
        currency = "EUR"
        price = 1799
        [[products]]
        id = "west-single"
        name = { en = "West single" }
        basis = "flat"
        validity = 120
        valid_from = 2027-01-01
        valid_until = 2027-12-31
        protects = "through"
        source = "invented"
        scope = [{ zones = ["gb:1"] }]
        [[products.prices]]
        seller = "western"
        channel = "counter"
        currency = "GBP"
        price = 900
    """,
    "fares/strait/agreements/all.toml": """
        format = 1
        [[agreements]]
        id = "through-2027"
        products = ["through"]
        valid_from = 2027-01-01
        valid_until = 2027-12-31
        published = true
        method = "M3"
        source = "invented: by distance carried"
        [[agreements]]
        id = "west-2027"
        products = ["west-single"]
        valid_from = 2027-01-01
        valid_until = 2027-12-31
        published = true
        method = "M3"
        source = "invented"
    """,
    "scenario.toml": """
        format = 1
        name = "the first train from the west ten minutes later"
        [[edit]]
        kind = "shift_trip"
        trip = "west:W100"
        shift_min = 10
    """,
}


def write_border_region(folder: Path) -> Path:
    """Write the region's files below the folder; returns the region's folder."""
    for name, text in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text).lstrip("\n"), encoding="utf-8")
    return folder / "feeds" / "strait"

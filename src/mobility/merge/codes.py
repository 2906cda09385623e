"""Station codes: UIC numbers and IFOPT (DHID) inside ids, and ids that feeds have in common."""

from __future__ import annotations

import re
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import polars as pl

from mobility.core.units import distance_m

# UIC leaflet 920-14: two digits of a station number to ISO 3166.
_UIC_COUNTRIES = (
    "10 FI,20 RU,21 BY,22 UA,23 MD,24 LT,25 LV,26 EE,27 KZ,28 GE,31 MN,32 VN,33 CN,41 AL,44 BA,"
    "49 BA,50 BA,51 PL,52 BG,53 RO,54 CZ,55 HU,56 SK,57 AZ,58 AM,60 IE,61 KR,62 ME,65 MK,70 GB,"
    "71 ES,72 RS,73 GR,74 SE,75 TR,76 NO,78 HR,79 SI,80 DE,81 AT,82 LU,83 IT,84 NL,85 CH,86 DK,"
    "87 FR,88 BE,91 TN,92 DZ,93 MA,94 PT,95 IL,96 IR,97 SY,98 LB,99 IQ"
)
UIC_COUNTRY: dict[str, str] = {pair[:2]: pair[3:] for pair in _UIC_COUNTRIES.split(",")}

# Feeds that use one numbering (two feeds of one operator, one city): so many equal ids at least, so
# many of them no further apart. Ids that are equal by chance lie anywhere.
SHARED_IDS_MIN = 10
SHARED_IDS_SHARE = 0.95
SHARED_IDS_M = 500.0

_DIGITS = re.compile(r"(?<!\d)\d{7,8}(?!\d)")
_SPLIT_UIC = re.compile(r"(\d{2})_(\d{1,5})")
_IFOPT = re.compile(r"([a-z]{2}):(\d+):([^:]+)(?::.*)?", re.IGNORECASE)


def check_digit(station: str) -> int:
    """Return the check digit of the five digits after the country code (weights 2, 1, 2, 1, 2).

    >>> check_digit("21202"), check_digit("00010")
    (7, 9)
    """
    total = 0
    for place, digit in enumerate(station):
        product = int(digit) * (2 if place % 2 == 0 else 1)
        total += product - 9 if product > 9 else product
    return -total % 10


@lru_cache(maxsize=200_000)
def find_code(text: str) -> str | None:
    """Return ``uic:NNNNNNN`` or ``ifopt:cc:area:stop`` of a stop id or code, or None.

    A UIC number has 7 digits, or 8 with its check digit at the end; of an IFOPT id the first
    three parts name the station.

    Source: feeds-and-merging 4.1.

    >>> find_code("StopArea:X87212027"), find_code("8503000:0:9"), find_code("94_2006")
    ('uic:8721202', 'uic:8503000', 'uic:9402006')
    >>> find_code("de:08311:6507_G:1:1"), find_code("S1")
    ('ifopt:de:08311:6507', None)
    """
    ifopt = _IFOPT.fullmatch(text)
    if ifopt is not None:
        country, area, stop = ifopt.groups()
        return f"ifopt:{country.lower()}:{area}:{stop.removesuffix('_G').lower()}"
    split = _SPLIT_UIC.fullmatch(text)
    if split is not None and split[1] in UIC_COUNTRY:
        return f"uic:{split[1]}{split[2]:0>5}"
    for digits in _DIGITS.findall(text):
        number = digits[:7]
        if number[:2] not in UIC_COUNTRY:
            continue
        if len(digits) == 7 or check_digit(digits[2:7]) == int(digits[7]):
            return f"uic:{number}"
    return None


def code_country(code: str) -> str | None:
    """Return the ISO 3166 country of a code.

    >>> code_country("uic:8500010"), code_country("ifopt:de:08311:6507")
    ('CH', 'DE')
    """
    kind, _, rest = code.partition(":")
    if kind == "uic":
        return UIC_COUNTRY.get(rest[:2])
    return rest[:2].upper() if kind == "ifopt" else None


def shared_codes(
    stops: pl.DataFrame, lat: npt.NDArray[np.float64], lon: npt.NDArray[np.float64]
) -> list[str | None]:
    """Return ``id:N:stop_id`` per stop of a feed that shares its numbering with another, or None.

    N is the first of the feeds that share it. An id is a code where feeds use the same ids for the
    same places, which shows in the positions of all ids that they have in common.

    Parameters
    ----------
    stops : DataFrame
        With `feed` and `stop_id`.
    lat, lon : float64[n_stops]
        NaN where unknown.

    >>> both = [str(n) for n in range(10)]
    >>> stops = pl.DataFrame({"feed": [0] * 10 + [1] * 10 + [2], "stop_id": [*both, *both, "7"]})
    >>> north = np.array([*range(10), *range(10), 50]) / 10
    >>> codes = shared_codes(stops, north, np.zeros(21))
    >>> codes[7], codes[17], codes[20]
    ('id:0:7', 'id:0:7', None)
    """
    table = stops.select("feed", "stop_id").with_columns(
        pl.Series("lat", lat), pl.Series("lon", lon)
    )
    pairs = table.join(table, on="stop_id").filter(pl.col("feed") < pl.col("feed_right"))
    metres = distance_m(
        *(pairs[column].to_numpy() for column in ("lat", "lon", "lat_right", "lon_right"))
    )
    agreeing = (
        pairs.select("feed", "feed_right", pl.Series("metres", metres, dtype=pl.Float64))
        .filter(pl.col("metres").is_not_nan())
        .group_by("feed", "feed_right")
        .agg(pl.len().alias("ids"), (pl.col("metres") <= SHARED_IDS_M).mean().alias("share"))
        .filter((pl.col("ids") >= SHARED_IDS_MIN) & (pl.col("share") >= SHARED_IDS_SHARE))
        .sort("feed", "feed_right")
    )
    numbering: dict[int, int] = {}
    for left, right in agreeing.select("feed", "feed_right").iter_rows():
        first = numbering.setdefault(left, left)
        other = numbering.setdefault(right, first)
        low, high = sorted((first, other))
        numbering = {feed: low if of == high else of for feed, of in numbering.items()}
    return [
        f"id:{numbering[feed]}:{stop_id}" if feed in numbering else None
        for feed, stop_id in stops.select("feed", "stop_id").iter_rows()
    ]

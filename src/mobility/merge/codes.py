"""Station codes inside ids: UIC numbers and IFOPT (DHID), the same however a feed writes them."""

from __future__ import annotations

import re
from functools import lru_cache

# UIC leaflet 920-14: two digits of a station number to ISO 3166.
_UIC_COUNTRIES = (
    "10 FI,20 RU,21 BY,22 UA,23 MD,24 LT,25 LV,26 EE,27 KZ,28 GE,31 MN,32 VN,33 CN,41 AL,44 BA,"
    "49 BA,50 BA,51 PL,52 BG,53 RO,54 CZ,55 HU,56 SK,57 AZ,58 AM,60 IE,61 KR,62 ME,65 MK,70 GB,"
    "71 ES,72 RS,73 GR,74 SE,75 TR,76 NO,78 HR,79 SI,80 DE,81 AT,82 LU,83 IT,84 NL,85 CH,86 DK,"
    "87 FR,88 BE,91 TN,92 DZ,93 MA,94 PT,95 IL,96 IR,97 SY,98 LB,99 IQ"
)
UIC_COUNTRY: dict[str, str] = {pair[:2]: pair[3:] for pair in _UIC_COUNTRIES.split(",")}

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
    return UIC_COUNTRY.get(rest[:2]) if kind == "uic" else rest[:2].upper()

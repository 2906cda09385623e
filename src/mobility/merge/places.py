"""Places: what one feed means by one station, before feeds are compared.

A place is a tree of `parent_station`, or a set of lone stops of equal normal name that lie
together, or one lone stop. A quay is never merged with another quay; places only gather them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import polars as pl

from mobility.core.units import distance_m
from mobility.merge.codes import find_code, shared_codes
from mobility.merge.names import Exonyms, full_form, name_forms, normal_form, similarity
from mobility.merge.tables import Assembled

LONE_STOPS_M = 150  # both sides of a wide street, or the poles of one square
NAME_OF_ROOT = 0.5  # likeness from which a member's name is another name of the place
LONE_GROUP_M = 500  # nigiri stop.cc get_metas: beyond that a name is used twice
METRES_PER_DEGREE = 111_195

RAIL, METRO, TRAM, BUS, FERRY, OTHER = (1 << bit for bit in range(6))
_BASIC_MODES = {0: TRAM, 1: METRO, 2: RAIL, 3: BUS, 4: FERRY, 11: BUS, 12: METRO}
_EXTENDED_MODES = {1: RAIL, 2: BUS, 4: METRO, 5: METRO, 6: METRO, 7: BUS, 8: BUS, 9: TRAM}

# Modes whose stops may be one place: trams and buses share streets, trams and metros share tracks.
_STREET, _LIGHT = 64, 128
_KINDS = {RAIL: RAIL, METRO: _LIGHT, TRAM: _STREET | _LIGHT, BUS: _STREET, FERRY: FERRY}

Int32s = npt.NDArray[np.int32]
Int64s = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


def route_mode(route_type: int) -> int:
    """Return the mode bit of a basic or extended GTFS route type.

    >>> route_mode(2) == route_mode(109) == RAIL, route_mode(900) == route_mode(0) == TRAM
    (True, True)
    """
    if route_type < 100:
        return _BASIC_MODES.get(route_type, OTHER)
    if route_type // 100 in (10, 12):
        return FERRY
    return _EXTENDED_MODES.get(route_type // 100, OTHER)


def mode_kinds(modes: Int32s) -> Int32s:
    """Return bits that two sets of modes share where their stops may be one place.

    >>> tram, bus, rail = mode_kinds(np.array([TRAM, BUS, RAIL])).tolist()
    >>> bool(tram & bus), bool(tram & rail)
    (True, False)
    """
    kinds = np.zeros_like(modes)
    for bit in range(6):
        kinds |= np.where(modes & (1 << bit), _KINDS.get(1 << bit, OTHER), 0).astype(modes.dtype)
    return kinds


@dataclass(frozen=True, slots=True)
class Places:
    """All places of all feeds; index order is the order of their first stop.

    Parameters
    ----------
    of_stop : int32[n_stops]
        Place of each stop.
    root : int32[n_places]
        The stop that names the place.
    feed : int32[n_places]
    lat, lon : float64[n_places]
        NaN where the feed states no usable position.
    modes : int32[n_places]
        Bits of the modes that call there; 0 where nothing calls.
    kinds : int32[n_places]
        `mode_kinds` of them.
    events : int64[n_places]
        Stop times there.
    border_point : bool[n_places]
    names : tuple of tuple
        Distinct names of the place, the root's first, translations included.
    codes : tuple of frozenset
        UIC and IFOPT codes, and ids of a numbering that several feeds share.
    """

    of_stop: Int32s
    root: Int32s
    feed: Int32s
    lat: Floats
    lon: Floats
    modes: Int32s
    kinds: Int32s
    events: Int64s
    border_point: npt.NDArray[np.bool_]
    names: tuple[tuple[str, ...], ...]
    codes: tuple[frozenset[str], ...]

    def __len__(self) -> int:
        return len(self.root)


def find_roots(parent: Int64s) -> tuple[Int64s, Int64s]:
    """Return the root of each stop's parent chain, and the stops whose chain is a loop.

    A stop on a loop becomes its own root; -1 means no parent.

    >>> roots, cut = find_roots(np.array([-1, 0, 1, 4, 3]))
    >>> roots.tolist(), cut.tolist()
    ([0, 0, 0, 3, 4], [3, 4])
    """
    own = np.arange(len(parent))
    root = np.where(parent < 0, own, parent)
    for _ in range(max(1, len(parent).bit_length())):
        root = root[root]
    looped = parent[root] >= 0
    on_loop = np.zeros(len(parent), np.bool_)
    on_loop[root[looped]] = True
    walk = root[looped]
    for _ in range(len(walk)):
        walk = parent[walk]
        if on_loop[walk].all():
            break
        on_loop[walk] = True
    cut = np.flatnonzero(on_loop)
    if len(cut):
        mended = parent.copy()
        mended[cut] = -1
        return find_roots(mended)[0], cut
    return root, cut


def connect(n_nodes: int, left: Int64s, right: Int64s) -> Int64s:
    """Return for each node the smallest node of its component.

    >>> connect(4, np.array([0, 3]), np.array([2, 2])).tolist()
    [0, 1, 0, 0]
    """
    label = np.arange(n_nodes)
    while len(left):
        low = np.minimum(label[left], label[right])
        before = label.copy()
        np.minimum.at(label, label[left], low)
        np.minimum.at(label, label[right], low)
        label = label[label]
        if np.array_equal(label, before):
            break
    return label


def near_pairs(lat: Floats, lon: Floats, keys: Int64s, radius_m: float) -> tuple[Int64s, Int64s]:
    """Return pairs (left < right) of equal key within the radius; a grid keeps it near-linear.

    >>> left, right = near_pairs(np.array([47.0, 47.0005, 47.0]), np.array([7.0, 7.0, 7.0]),
    ...     np.array([1, 1, 2]), 100)
    >>> left.tolist(), right.tolist()
    ([0], [1])
    """
    usable = np.flatnonzero(~np.isnan(lat) & ~np.isnan(lon) & (keys >= 0))
    height = radius_m / METRES_PER_DEGREE
    top = np.abs(lat[usable]).max(initial=0.0)
    width = height / max(0.01, np.cos(np.radians(min(top, 89.0))))
    cells = pl.DataFrame(
        {
            "node": usable,
            "key": keys[usable],
            "row": np.floor(lat[usable] / height).astype(np.int64),
            "column": np.floor(lon[usable] / width).astype(np.int64),
        }
    )
    around = [(row, column) for row in (-1, 0, 1) for column in (-1, 0, 1)]
    pairs = pl.concat(
        cells.with_columns(pl.col("row") + row, pl.col("column") + column)
        .join(cells, on=["key", "row", "column"])
        .filter(pl.col("node") < pl.col("node_right"))
        .select("node", "node_right")
        for row, column in around
    ).sort("node", "node_right")
    left, right = pairs["node"].to_numpy(), pairs["node_right"].to_numpy()
    near = distance_m(lat[left], lon[left], lat[right], lon[right]) <= radius_m
    return left[near], right[near]


def _stop_use(tables: Assembled) -> tuple[Int32s, Int64s]:
    """Return per stop the bits of its modes and the number of its events."""
    n_stops = tables.stops.height
    modes = np.array([route_mode(kind) for kind in tables.routes["route_type"].to_list()], np.int32)
    trip_mode = modes[tables.trips["route"].to_numpy()] if len(modes) else np.zeros(0, np.int32)
    counts = np.diff(tables.events.start)
    out = np.zeros(n_stops, np.int32)
    for mode in np.unique(trip_mode):
        served = np.zeros(n_stops, np.bool_)
        served[tables.events.stop[np.repeat(trip_mode == mode, counts)]] = True
        out[served] |= mode
    return out, np.bincount(tables.events.stop, minlength=n_stops).astype(np.int64)


def _usable_positions(stops: pl.DataFrame) -> tuple[Floats, Floats]:
    lat = stops["stop_lat"].fill_null(float("nan")).to_numpy().copy()
    lon = stops["stop_lon"].fill_null(float("nan")).to_numpy().copy()
    with np.errstate(invalid="ignore"):
        wrong = (
            (np.abs(lat) > 89) | (np.abs(lon) > 180) | ((np.abs(lat) < 0.01) & (np.abs(lon) < 0.01))
        )
    lat[wrong] = np.nan
    lon[wrong] = np.nan
    return lat, lon


def _join_lone_stops(
    stops: pl.DataFrame, root: Int64s, modes: Int32s, lat: Floats, lon: Floats, exonyms: Exonyms
) -> Int64s:
    """Return roots where lone stops of one name and a common mode share the first one's."""
    sizes = np.bincount(root, minlength=len(root))
    lone = (sizes[root] == 1) & ~stops["border_point"].to_numpy()
    lone &= stops["location_type"].to_numpy() == 0
    names = stops["stop_name"].fill_null("").to_list()
    forms: dict[str, int] = {"": -1}
    form_of = {name: normal_form(name, exonyms) for name in dict.fromkeys(names)}
    keys = np.array([forms.setdefault(form_of[name], len(forms)) for name in names], np.int64)
    keys = np.where(lone & (keys >= 0), keys * 32_768 + stops["feed"].to_numpy(), -1)
    left, right = near_pairs(lat, lon, keys, LONE_STOPS_M)
    kinds = mode_kinds(modes)
    shared = (kinds[left] & kinds[right]) != 0
    label = connect(len(root), left[shared], right[shared])
    label = _split_wide(label, lat, lon)
    return np.where(lone, label, root)


def _split_wide(label: Int64s, lat: Floats, lon: Floats) -> Int64s:
    """Return labels where a group wider than the limit is dissolved into its stops."""
    groups = (
        pl.DataFrame({"label": label, "lat": lat, "lon": lon})
        .group_by("label")
        .agg(
            pl.col("lat").min().alias("south"),
            pl.col("lat").max().alias("north"),
            pl.col("lon").min().alias("west"),
            pl.col("lon").max().alias("east"),
        )
    )
    wide = distance_m(
        groups["south"].to_numpy(),
        groups["west"].to_numpy(),
        groups["north"].to_numpy(),
        groups["east"].to_numpy(),
    )
    too_wide = groups["label"].to_numpy()[np.asarray(wide) > LONE_GROUP_M]
    return np.where(np.isin(label, too_wide), np.arange(len(label)), label)


def _translated_names(others: pl.DataFrame | None) -> dict[tuple[int, str], list[str]]:
    """Return translations of stop names by (feed, stop_id) and by (feed, name)."""
    found: dict[tuple[int, str], list[str]] = {}
    if others is None or not {"table_name", "field_name", "translation"} <= set(others.columns):
        return found
    rows = others.filter((pl.col("table_name") == "stops") & (pl.col("field_name") == "stop_name"))
    for row in rows.iter_rows(named=True):
        key = row.get("record_id") or row.get("field_value")
        if key and row["translation"]:
            found.setdefault((row["feed"], key), []).append(row["translation"])
    return found


def _place_names(
    tables: Assembled, members: Sequence[Int64s], root: Int64s
) -> tuple[tuple[str, ...], ...]:
    """Return the names of each place: the root's, members' that are like it, translations."""
    form_of = lru_cache(maxsize=None)(normal_form)
    translated = _translated_names(tables.others.get("translations"))
    feeds = tables.stops["feed"].to_list()
    ids = tables.stops["stop_id"].to_list()
    names = tables.stops["stop_name"].fill_null("").to_list()
    kinds = tables.stops["location_type"].to_list()
    out = []
    for place, stops in enumerate(members):
        found: dict[str, None] = {}
        head = form_of(names[root[place]])
        for stop in (int(root[place]), *stops.tolist()):
            # Entrances and quays have names of their own ("Platform 3").
            if kinds[stop] > 1 or similarity(head, form_of(names[stop])) < NAME_OF_ROOT:
                continue
            for name in (
                names[stop],
                *translated.get((feeds[stop], ids[stop]), ()),
                *translated.get((feeds[stop], names[stop]), ()),
            ):
                if name:
                    found.setdefault(name)
        out.append(tuple(found))
    return tuple(out)


def _place_codes(
    stops: pl.DataFrame, lat: Floats, lon: Floats, members: Sequence[Int64s]
) -> tuple[frozenset[str], ...]:
    ids = [find_code(text) for text in stops["stop_id"].fill_null("").to_list()]
    codes = [find_code(text) for text in stops["stop_code"].fill_null("").to_list()]
    known = tuple(zip(ids, codes, shared_codes(stops, lat, lon), strict=True))
    return tuple(
        frozenset(code for stop in stops_ for code in known[stop] if code is not None)
        for stops_ in (member.tolist() for member in members)
    )


def find_places(tables: Assembled, exonyms: Exonyms, *, described: bool) -> tuple[Places, Int64s]:
    """Return the places of all feeds, and the stops whose parents form a loop (cut).

    Parameters
    ----------
    tables : Assembled
    exonyms : Exonyms
    described : bool
        Also collect names and codes, which only matching needs.
    """
    stops = tables.stops
    parent = stops["parent"].fill_null(-1).to_numpy().astype(np.int64)
    root, looped = find_roots(parent)
    modes, events = _stop_use(tables)
    lat, lon = _usable_positions(stops)
    root = _join_lone_stops(stops, root, modes, lat, lon, exonyms)
    roots, of_stop = np.unique(root, return_inverse=True)
    order = np.argsort(of_stop, kind="stable")
    bounds = np.searchsorted(of_stop[order], np.arange(len(roots) + 1))
    members = [order[bounds[place] : bounds[place + 1]] for place in range(len(roots))]
    place_modes = np.zeros(len(roots), np.int32)
    np.bitwise_or.at(place_modes, of_stop, modes)
    border = np.zeros(len(roots), np.bool_)
    np.logical_or.at(border, of_stop, stops["border_point"].to_numpy())
    place_lat, place_lon = lat[roots].copy(), lon[roots].copy()
    for place in np.flatnonzero(np.isnan(place_lat)):
        known = members[place][~np.isnan(lat[members[place]])]
        if len(known):
            place_lat[place], place_lon[place] = lat[known].mean(), lon[known].mean()
    places = Places(
        of_stop=of_stop.astype(np.int32),
        root=roots.astype(np.int32),
        feed=stops["feed"].to_numpy().astype(np.int32)[roots],
        lat=place_lat,
        lon=place_lon,
        modes=place_modes,
        kinds=mode_kinds(place_modes),
        events=np.bincount(of_stop, weights=events, minlength=len(roots)).astype(np.int64),
        border_point=border,
        names=_place_names(tables, members, roots) if described else (),
        codes=_place_codes(stops, lat, lon, members) if described else (),
    )
    return places, looped


@dataclass(frozen=True, slots=True)
class Forms:
    """Normal forms of a place's names.

    Parameters
    ----------
    any : tuple of str
        Every form, brackets kept or dropped, each side of a slash.
    full : frozenset of str
        Only those that keep what stands in brackets.
    """

    any: tuple[str, ...]
    full: frozenset[str]


def place_forms(places: Places, exonyms: Exonyms) -> tuple[Forms, ...]:
    """Return the normal forms of every place's names."""
    known: dict[str, tuple[tuple[str, ...], str]] = {}
    out = []
    for names in places.names:
        forms: dict[str, None] = {}
        full = []
        for name in names:
            if name not in known:
                known[name] = (name_forms(name, exonyms), full_form(name, exonyms))
            forms.update(dict.fromkeys(known[name][0]))
            full.append(known[name][1])
        out.append(Forms(tuple(forms), frozenset(full)))
    return tuple(out)

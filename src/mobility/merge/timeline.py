"""Timelines: several trips that are one train, laid over one another call by call.

Every hop between two calls is owned by one of the trips that list it: the one whose feed belongs
to the country of the section, then the one of best precedence. The owner's times, stop and rules
of boarding count; the others stay known as aliases.
"""

from __future__ import annotations

import heapq
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np
import numpy.typing as npt

UNKNOWN = -1

Int32s = npt.NDArray[np.int32]
Int8s = npt.NDArray[np.int8]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class TripCalls:
    """The calls of one trip.

    Parameters
    ----------
    trip, feed, country, precedence : int
        Country is a code, -1 where the manifest states none.
    leaves_s : int
        First departure, from the origin of the trip's own service date.
    content : int
        Equal for trips that call alike, at whatever hour: their trains are laid out once.
    station : sequence of int
        -1 at border points.
    stop, arrival_s, departure_s, pickup_type, drop_off_type, sequence : sequence of int
        Times from the trip's first departure; in a train, from the first trip's.
    """

    trip: int
    leaves_s: int
    feed: int
    country: int
    precedence: int
    content: int
    station: Sequence[int]
    stop: Sequence[int]
    arrival_s: Sequence[int]
    departure_s: Sequence[int]
    pickup_type: Sequence[int]
    drop_off_type: Sequence[int]
    sequence: Sequence[int]

    def __len__(self) -> int:
        return len(self.stop)

    @property
    def rank(self) -> tuple[int, int]:
        """Order of trips where nothing else decides: precedence, feed."""
        return self.precedence, self.feed


@dataclass(frozen=True, slots=True)
class Part:
    """A run of positions of a train that one trip lists; both ends inclusive.

    In a timeline, `trip` is the trip's place in the list; in a train, the trip.
    """

    trip: int
    from_pos: int
    to_pos: int
    from_sequence: int
    to_sequence: int
    alias: bool


@dataclass(frozen=True, slots=True)
class Timeline:
    """A train: its calls in order, and which trip lists which part; trips by place in the list.

    Parameters
    ----------
    stop, arrival_s, departure_s, sequence : int32[n_calls]
        Times from the origin that `lay_out` was given.
    pickup_type, drop_off_type : int8[n_calls]
    border_point : bool[n_calls]
    parts : tuple of Part
    owned : tuple of int
        Hops that each trip owns.
    position : mapping of (trip, call) to position
    arrives, departs : int32[n_calls, 2]
        Which trip's which call says when the train arrives, and all that holds from there on.
    """

    stop: Int32s
    arrival_s: Int32s
    departure_s: Int32s
    pickup_type: Int8s
    drop_off_type: Int8s
    sequence: Int32s
    border_point: Bools
    parts: tuple[Part, ...]
    owned: tuple[int, ...]
    position: Mapping[tuple[int, int], int]
    arrives: Int32s
    departs: Int32s


Call = tuple[int, int]  # trip (place in the list), call
Link = tuple[int, int, int, int]  # trip, call, trip, call
Node = dict[int, int]  # trip (place in the list), ascending, to call


def _heads(first: Sequence[int], links: Sequence[Link]) -> list[int]:
    """Return for each call, numbered trip by trip, the first call that links unite it with."""
    head = list(range(first[-1]))

    def find(call: int) -> int:
        while head[call] != call:
            call = head[call]
        return call

    for left, i, right, j in links:
        a, b = find(first[left] + i), find(first[right] + j)
        head[max(a, b)] = min(a, b)
    for call, earlier in enumerate(head):
        head[call] = head[earlier]
    return head


def order_calls(trips: Sequence[TripCalls], links: Sequence[Link]) -> list[Node] | None:
    """Return the united calls in one order that every trip agrees with, None where there is none.

    Among calls that no trip orders, the earlier comes first, then the trip listed first.
    """
    first = list(accumulate((len(trip) for trip in trips), initial=0))
    heads = _heads(first, links)
    nodes: dict[int, Node] = {}
    waiting = [0] * first[-1]
    for at, start in enumerate(first[:-1]):
        for call, head in enumerate(heads[start : first[at + 1]]):
            node = nodes.setdefault(head, {})
            if at in node:
                return None
            node[at] = call
            waiting[head] += call > 0
    ready = [(*_moment(trips, node), head) for head, node in nodes.items() if not waiting[head]]
    heapq.heapify(ready)
    out = []
    while ready:
        node = nodes[heapq.heappop(ready)[-1]]
        out.append(node)
        for at, call in node.items():
            if call + 1 < len(trips[at]):
                following = heads[first[at] + call + 1]
                waiting[following] -= 1
                if not waiting[following]:
                    heapq.heappush(ready, (*_moment(trips, nodes[following]), following))
    return out if len(out) == len(nodes) else None


def _moment(trips: Sequence[TripCalls], node: Node) -> tuple[int, int]:
    at, call = next(iter(node.items()))
    return trips[at].departure_s[call], trips[at].arrival_s[call]


def _station(trips: Sequence[TripCalls], node: Node) -> int:
    at, call = next(iter(node.items()))
    return trips[at].station[call]


def _hop_countries(
    trips: Sequence[TripCalls], nodes: Sequence[Node], station_country: Mapping[int, int]
) -> list[set[int]]:
    """Return per hop the countries it may lie in: one, or two where no border point parts them."""
    stations = [_station(trips, node) for node in nodes]
    own = [UNKNOWN if station < 0 else station_country[station] for station in stations]
    before, after = list(own), list(own)
    for at in range(1, len(own)):
        if stations[at] < 0:
            before[at] = before[at - 1]
    for at in range(len(own) - 2, -1, -1):
        if stations[at] < 0:
            after[at] = after[at + 1]
    out = []
    for at in range(len(own) - 1):
        if stations[at] >= 0 and stations[at + 1] < 0:
            out.append({own[at]})
        elif stations[at] < 0 and stations[at + 1] >= 0:
            out.append({own[at + 1]})
        else:
            out.append({before[at], after[at + 1]})
    return out


def _owners(
    trips: Sequence[TripCalls],
    spans: Sequence[tuple[int, int]],
    countries: Sequence[set[int]],
) -> list[int] | None:
    """Return the trip that owns each hop, None where no trip lists one of them."""
    by_rank = sorted(range(len(trips)), key=lambda at: (trips[at].rank, at))
    owners = []
    for hop, own in enumerate(countries):
        listing = [at for at in by_rank if spans[at][0] <= hop < spans[at][1]]
        if not listing:
            return None
        local = (at for at in listing if trips[at].country in own and trips[at].country != UNKNOWN)
        owners.append(next(local, listing[0]))
    return owners


def _runs(hops: Sequence[int]) -> list[tuple[int, int]]:
    """Return the runs of consecutive hops as (first position, last position)."""
    runs: list[tuple[int, int]] = []
    for hop in hops:
        if runs and runs[-1][1] == hop:
            runs[-1] = (runs[-1][0], hop + 1)
        else:
            runs.append((hop, hop + 1))
    return runs


def _parts(
    trips: Sequence[TripCalls],
    spans: Sequence[tuple[int, int]],
    listed: Sequence[Sequence[int]],
    owners: Sequence[int],
) -> list[Part]:
    """Return each trip's own and alias runs; a bound that a trip skips takes its call around it."""
    parts = []
    for at, trip in enumerate(trips):
        first, last = spans[at]
        for alias in (False, True):
            hops = [hop for hop in range(first, last) if (owners[hop] != at) == alias]
            for low, high in _runs(hops):
                start = bisect_right(listed[at], low) - 1
                end = bisect_left(listed[at], high)
                parts.append(Part(at, low, high, trip.sequence[start], trip.sequence[end], alias))
    return sorted(parts, key=lambda part: (part.from_pos, part.alias, part.trip))


def lay_out(
    trips: Sequence[TripCalls], links: Sequence[Link], station_country: Mapping[int, int]
) -> Timeline | None:
    """Return the train that trips make together, None where their calls contradict one another.

    Parameters
    ----------
    trips : sequence of TripCalls
        Times from one origin.
    links : sequence of (trip, call, trip, call)
        Calls that are the same call; trips by their place in the list.
    station_country : mapping of station to int
        Country code per station, -1 where unknown.
    """
    nodes = order_calls(trips, links)
    if nodes is None:
        return None
    listed: list[list[int]] = [[] for _ in trips]
    for position, node in enumerate(nodes):
        for at in node:
            listed[at].append(position)
    spans = [(positions[0], positions[-1]) for positions in listed]
    owners = _owners(trips, spans, _hop_countries(trips, nodes, station_country))
    if owners is None:
        return None
    positions = {(at, call): place for place, node in enumerate(nodes) for at, call in node.items()}
    sources = _sources(trips, nodes, owners)
    calls = np.array(_chosen_calls(trips, sources), np.int32).T
    return Timeline(
        stop=calls[0],
        arrival_s=calls[1],
        departure_s=calls[2],
        pickup_type=calls[3].astype(np.int8),
        drop_off_type=calls[4].astype(np.int8),
        sequence=calls[5],
        border_point=calls[6].astype(np.bool_),
        parts=tuple(_parts(trips, spans, listed, owners)),
        owned=tuple(owners.count(at) for at in range(len(trips))),
        position=positions,
        arrives=np.array([arrives for arrives, _ in sources], np.int32),
        departs=np.array([departs for _, departs in sources], np.int32),
    )


def _sources(
    trips: Sequence[TripCalls], nodes: Sequence[Node], owners: Sequence[int]
) -> list[tuple[Call, Call]]:
    """Return the calls that count: arrivals as the hop before says, departures as the hop after."""
    by_rank = sorted(range(len(trips)), key=lambda at: (trips[at].rank, at))
    found = []
    for place, node in enumerate(nodes):
        arrives = owners[max(0, place - 1)]
        departs = owners[min(place, len(owners) - 1)]
        if arrives not in node or departs not in node:
            best = next(at for at in by_rank if at in node)
            arrives = arrives if arrives in node else best
            departs = departs if departs in node else best
        found.append(((arrives, node[arrives]), (departs, node[departs])))
    return found


def _chosen_calls(
    trips: Sequence[TripCalls], sources: Sequence[tuple[Call, Call]]
) -> list[tuple[int, int, int, int, int, int, bool]]:
    rows = []
    earliest = None
    for (arrives, i), (departs, j) in sources:
        before, after = trips[arrives], trips[departs]
        departure = after.departure_s[j]
        arrival = min(before.arrival_s[i], departure)
        # Two feeds may differ by a minute where one hands over to the other: times never go back.
        if earliest is not None:
            arrival = max(arrival, earliest)
            departure = max(departure, arrival)
        earliest = departure
        border = after.station[j] < 0
        pickup = 1 if border else after.pickup_type[j]
        drop_off = 1 if border else before.drop_off_type[i]
        rows.append(
            (after.stop[j], arrival, departure, pickup, drop_off, after.sequence[j], border)
        )
    return rows

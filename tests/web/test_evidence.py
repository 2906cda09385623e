"""Evidence in words, timetables side by side, the small plan: nothing is lost or made up."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mobility.core.units import distance_m
from mobility.web import LANGUAGES, read_catalogue
from mobility.web.evidence import station_sentences, train_sentences
from mobility.web.miniature import HEIGHT, WIDTH, Spot, Track, draw_map
from mobility.web.sidebyside import ListedCall, Timetable, common_run, pair_timetables
from mobility.web.staff import STAFF_AREAS

STRINGS = read_catalogue("en", *STAFF_AREAS)
stations = st.lists(st.sampled_from("abcde"), max_size=8)


def calls(names: str | list[str]) -> tuple[ListedCall, ...]:
    return tuple(ListedCall(name, name.upper(), "08:00", "08:01") for name in names)


def longest(left: list[str], right: list[str]) -> int:
    """Return the length of the longest common run, by trying everything."""
    if not left or not right:
        return 0
    if left[0] == right[0]:
        return 1 + longest(left[1:], right[1:])
    return max(longest(left[1:], right), longest(left, right[1:]))


@given(stations, stations)
def test_the_common_run_is_a_longest_one_in_order(left: list[str], right: list[str]) -> None:
    pairs = common_run(calls(left), calls(right))
    assert len(pairs) == longest(left, right)
    assert all(left[i] == right[j] for i, j in pairs)
    assert [i for i, _ in pairs] == sorted({i for i, _ in pairs})
    assert [j for _, j in pairs] == sorted({j for _, j in pairs})


@given(stations, stations)
def test_every_call_stands_once_on_its_side_and_in_order(left: list[str], right: list[str]) -> None:
    shown = pair_timetables(
        Timetable("L", "", calls(left)), Timetable("R", "", calls(right)), STRINGS
    )
    for side, names in enumerate((left, right)):
        kept = [row["calls"][side] for row in shown["rows"] if row["calls"][side]]
        assert [call.station for call in kept] == names
    assert all(any(row["calls"]) for row in shown["rows"])


latitudes = st.floats(-60, 70)
offsets = st.floats(-0.02, 0.02)


@given(latitudes, st.lists(st.tuples(offsets, offsets), min_size=1, max_size=6))
def test_the_plan_keeps_its_scale_and_holds_every_spot(
    lat: float, moves: list[tuple[float, float]]
) -> None:
    spots = [Spot(lat + up, 8.0 + right, "A", side=n % 3) for n, (up, right) in enumerate(moves)]
    plan = draw_map(spots, STRINGS)
    assert plan is not None
    number, unit = plan["bar_text"].split()
    bar_m = float(number) * (1000 if unit == "km" else 1)
    px_per_m = plan["bar_px"] / bar_m
    for point in plan["points"]:
        assert 0 <= point["x"] <= WIDTH
        assert 0 <= point["y"] <= HEIGHT
    first, last = spots[0], spots[-1]
    at = {(p["side"], p["x"], p["y"]) for p in plan["points"]}
    metres = distance_m(first.lat, first.lon, last.lat, last.lon)
    assert any(
        abs(((ax - bx) ** 2 + (ay - by) ** 2) ** 0.5 - metres * px_per_m) < 2 + 0.02 * WIDTH
        for _, ax, ay in at
        for _, bx, by in at
    )


def test_the_plan_says_in_words_who_lies_where() -> None:
    spots = [Spot(47.5, 7.6, "West", 0), Spot(47.5, 7.61, "East", 1), Spot(47.6, 7.6, "Far")]
    plan = draw_map(spots, STRINGS, tracks=[Track(((47.5, 7.6), (47.5, 7.61)), 0)])
    assert plan is not None
    assert plan["text"] == "East lies 751 m east of West. Also shown: Far."
    assert len(plan["lines"]) == 1
    assert draw_map([], STRINGS) is None


def test_each_signal_is_a_sentence_that_says_which_way_it_speaks() -> None:
    evidence = {
        "code": "uic:8500010", "distance_m": 1200, "likeness": 0.2, "votes": 1, "neighbours": 2,
        "shared_mode": False, "refused": "the station would be wider than 1000 m",
    }  # fmt: skip
    told = [(s.speaks_for, s.text) for s in station_sentences(evidence, STRINGS)]
    assert told == [
        ("same", "Both carry the same station code (uic:8500010)."),
        ("different", "The names differ."),
        ("different", "They are 1200 m apart."),
        ("same", "1 train calls at both in the same minute."),
        ("same", "2 neighbouring stations are the same, as far away in time."),
        ("different", "Other kinds of vehicles stop there."),
        ("different", "Why not joined: the station would be wider than 1000 m"),
    ]


def test_train_numbers_speak_for_or_against() -> None:
    ways = {
        ("7", "7"): "same", ("7", "8"): "different", ("7", None): "neither", (None, None): "neither"
    }  # fmt: skip
    for numbers, way in ways.items():
        told = train_sentences({"numbers": list(numbers), "shared_calls": 0}, STRINGS)
        assert [sentence.speaks_for for sentence in told] == [way]


@given(
    st.dictionaries(
        st.sampled_from(
            ["distance_m", "votes", "neighbours", "shared_calls", "dwell_s", "difference_s"]
        ),
        st.integers(0, 10_000),
    ),
    st.sampled_from(LANGUAGES),
)
def test_any_evidence_can_be_told_in_any_language(evidence: dict[str, int], code: str) -> None:
    strings = read_catalogue(code, *STAFF_AREAS)
    for sentence in station_sentences(evidence, strings) + train_sentences(evidence, strings):
        assert sentence.text
        assert "evidence." not in sentence.text
        assert "{" not in sentence.text

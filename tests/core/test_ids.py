"""References are split at the first colon only where the left part is a feed."""

from hypothesis import given
from hypothesis import strategies as st

from mobility.core.ids import (
    FEED_ID,
    canonical_json,
    content_hash,
    feed_id_from_name,
    split_reference,
)

FEEDS = ["ch-city", "de"]


@given(st.text(max_size=30))
def test_a_raw_id_behind_its_feed_comes_back_whole(raw):
    assert split_reference(f"ch-city:{raw}", FEEDS) == ("ch-city", raw)


def test_an_ifopt_id_is_not_taken_for_a_feed():
    assert split_reference("ch:23005:6", FEEDS) == (None, "ch:23005:6")


@given(st.text(min_size=1, max_size=30))
def test_every_file_stem_gives_a_feed_id(stem):
    assert FEED_ID.fullmatch(feed_id_from_name(stem))


@given(st.dictionaries(st.text(max_size=5), st.integers(), max_size=5), st.randoms())
def test_equal_documents_hash_equally_whatever_their_order(document, random):
    items = list(document.items())
    random.shuffle(items)
    assert content_hash(dict(items)) == content_hash(document)


def test_canonical_json_keeps_letters_as_they_are():
    assert canonical_json({"name": "Bâle"}) == '{"name":"Bâle"}'.encode()

"""Entries for tests, by hand and by hypothesis."""

from hypothesis import strategies as st

from mobility.ledger import Account, Entry, Posting

PARTIES = ("tram", "rail", "bus", "clearing")
CURRENCIES = ("CHF", "EUR")


def account(party: str, currency: str = "CHF", kind: str = "share") -> Account:
    return Account(party, "carrier", kind, currency)


def entry(
    entry_id: str, amount_minor: int = 5, *, period: str = "2027-05", region_id: str = "r"
) -> Entry:
    """Return an entry by which ``rail`` owes ``tram`` an amount."""
    return Entry(
        id=entry_id,
        kind="share",
        region_id=region_id,
        period=period,
        event_hash="0f",
        postings=(
            Posting(account("rail", kind="cash_held"), amount_minor),
            Posting(account("tram"), -amount_minor),
        ),
        facts=(("count", 3), ("partitions", ("aa", "bb")), ("product", "single ü")),
    )


@st.composite
def entries(draw: st.DrawFn, *, periods: tuple[str, ...] = ("2027-05",)) -> Entry:
    """Draw a balanced entry of up to four postings per currency."""
    postings = []
    for currency in draw(st.sets(st.sampled_from(CURRENCIES), min_size=1)):
        amounts = draw(st.lists(st.integers(-(10**9), 10**9), min_size=1, max_size=3))
        for amount_minor in [*amounts, -sum(amounts)]:
            party = draw(st.sampled_from(PARTIES))
            postings.append(Posting(account(party, currency), amount_minor))
    return Entry(
        id=draw(st.text("abcé:0", min_size=1, max_size=4)),
        kind="share",
        region_id="r",
        period=draw(st.sampled_from(periods)),
        event_hash="0f",
        postings=tuple(postings),
        facts=(("note", draw(st.text(st.characters(codec="utf-8"), max_size=5))),),
    )

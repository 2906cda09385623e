"""`mobility clearing` as a clerk sees it: exit statuses, one line for what is wrong."""

import pytest

from tests.border import write_border_region
from tests.clearing.region import HEADERS

SALE = (
    "2027-05-04T09:00:00Z,western,app,through,{price},{currency},west:1,east:1,"
    "2027-05-04T09:30:00Z,,"
)


@pytest.fixture
def edition(tmp_path, mobility):
    """Return the edition of the border region."""
    folder = tmp_path / "edition"
    assert mobility("build", write_border_region(tmp_path), "-o", folder).status == 0
    return folder


def test_refused_rows_are_named_and_the_import_fails_though_the_others_are_kept(
    mobility, edition, tmp_path
):
    sheet = tmp_path / "sales.csv"
    rows = [
        "1," + SALE.format(price="4.20", currency="GBP"),
        "2," + SALE.format(price="-4.20", currency="GBP"),
        "3," + SALE.format(price="4.20", currency="XXX"),
    ]
    sheet.write_text("\n".join([HEADERS["sale"], *rows, ""]))
    first = mobility("clearing", "import", edition, sheet)
    assert first.status == 1
    assert "negative_price: sales.csv line 3 price '-4.20'" in first.err
    assert "unknown_currency: sales.csv line 4 currency 'XXX'" in first.err
    assert "2 of 3 rows were refused" in first.err
    assert "Traceback" not in first.err
    again = mobility("clearing", "import", edition, sheet, "--json")
    assert again.status == 1
    assert (again.document["new"], again.document["duplicate"]) == (0, 1)


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        (("share", "--period", "2027-5"), 1, "'2027-5' is no period"),
        (("share", "--period", "2027-06"), 1, "nothing was imported"),
        (("settle", "--period", "2027-06"), 3, "not shared yet"),
        (("destroy-key", "--period", "2027-06"), 3, "its key is still needed"),
        (("import", "none.csv"), 1, "none.csv: no such file"),
    ],
)
def test_a_wrong_step_is_told_in_one_line(mobility, edition, words, status, message):
    command, *options = words
    outcome = mobility("clearing", command, edition, *options)
    assert outcome.status == status
    assert message in outcome.error_line
    assert outcome.out == ""

"""Notices while a feed is read: one table of codes, and the collector that adds up equal ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

from mobility.core.notices import Notice, Severity

Effect = Literal["drop", "repair", "note"]
VALUE_LENGTH = 200


class Progress(Protocol):
    """What long work reports to: the stage, and how much of it is done."""

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Take note that ``done`` of ``total`` units (bytes, rows) of the stage are done."""
        ...


@dataclass(frozen=True, slots=True)
class Rule:
    """What a code stands for: how bad it is, what was done, and how it is told."""

    severity: Severity
    effect: Effect
    message: str


def _rules(severity: Severity, effect: Effect, **messages: str) -> dict[str, Rule]:
    return {code: Rule(severity, effect, message) for code, message in messages.items()}


# Severity and effect are decided here and nowhere else. Codes of the canonical validator keep its
# names; `_cleared` says that the cell was emptied and the row kept.
RULES: dict[str, Rule] = {
    # rows dropped
    **_rules(
        "error",
        "drop",
        invalid_row_length="the row has another number of fields than the header; dropped",
        unparsable_row="the row is no CSV; dropped",
        missing_required_field="a required field is empty; row dropped",
        missing_required_column="a required column is missing; row dropped",
        invalid_integer="expected a whole number; row dropped",
        invalid_float="expected a number; row dropped",
        invalid_date="expected YYYYMMDD; row dropped",
        invalid_time="expected H:MM:SS; row or trip dropped",
        number_out_of_range="the number is outside the allowed range; row dropped",
        unexpected_enum_value="not one of the allowed values; row dropped",
        duplicate_key="another row has the same key and says something else; later row dropped",
        foreign_key_violation="the value is not in the table that it refers to; row dropped",
        stop_time_without_stop="stop_id is empty; trip dropped",
        stop_time_with_departure_before_arrival_time="departure before arrival; trip dropped",
        stop_time_with_arrival_before_previous_departure_time=(
            "arrival before the departure from the stop before; trip dropped"
        ),
        missing_trip_edge="the first or last time of the trip is missing; trip dropped",
        invalid_frequency="end not after start, or headway not above 0; row dropped",
    ),
    **_rules(
        "warning",
        "drop",
        duplicate_row="the row stands in the file twice; later one dropped",
        unused_trip="the trip has no stop_times; dropped",
        unusable_trip="the trip has fewer than two stop_times; dropped",
        transfer_at_template="names a trip that frequencies.txt repeats, so no run; dropped",
        repeated_stop_merged="the same stop twice in a row; merged into one dwell",
    ),
    **_rules(
        "info",
        "drop",
        agency_left_out="of an agency that the manifest leaves out, for its own feed; dropped",
    ),
    # rows repaired
    **_rules(
        "warning",
        "repair",
        decimal_comma="a decimal comma was read as a point",
        short_row="the row is shorter than the header; the missing fields were read as empty",
        trailing_delimiter="empty fields beyond the header were cut",
        single_quotes="the row was read with single quotes, so that its length fits",
        unclosed_quote="a quote that nothing closes was read as a character",
        invalid_integer_cleared="expected a whole number; field emptied",
        invalid_float_cleared="expected a number; field emptied",
        invalid_date_cleared="expected YYYYMMDD; field emptied",
        invalid_time_cleared="expected H:MM:SS; field emptied",
        invalid_color_cleared="expected six hexadecimal digits; field emptied",
        invalid_timezone_cleared="unknown time zone; field emptied",
        number_out_of_range_cleared="the number is outside the allowed range; field emptied",
        unexpected_enum_value_cleared="not one of the allowed values; field emptied",
        foreign_key_violation_cleared="not in the table that it refers to; field emptied",
        stop_time_with_only_arrival_or_departure_time="the one given time stands for both",
        point_near_origin="the position is (0, 0); removed",
        point_near_pole="the position is at a pole; removed",
        position_outlier="no trip could be so fast; the position was removed",
        parent_station_loop="the stop is its own ancestor; parent removed",
        wrong_parent_location_type="the parent is no station; parent removed",
    ),
    **_rules(
        "info",
        "repair",
        time_interpolated="a missing time between two known ones was interpolated",
        position_from_relatives="a missing position was taken from the parent or the children",
        agency_filled="the empty agency_id was filled with the feed's only agency",
        default_timezone="the agency's time zone was taken from the manifest",
    ),
    # nothing changed, or the file's form only
    **_rules(
        "warning",
        "note",
        not_utf8="lines were not UTF-8 and were read as Windows-1252; review the names",
        file_name_corrected="read under the name that was meant",
        duplicate_member="the zip holds the name twice; the last one was read",
        unsafe_member_name="the name leaves the feed's folder; not read",
        header_name_corrected="the column's name was read in lower case without blanks",
        duplicated_column="the column stands in the header twice; the first one was read",
        inconsistent_agency_timezone="agencies of one feed have different zones; the first counts",
        frequency_headway="trips without exact times; expanded as if they ran at the headway",
        service_without_days="a service without any day; its trips never run",
        station_with_stop_times="stop_times at a station, entrance or node",
        fast_travel_between_consecutive_stops="faster than the mode can be; times kept",
        duplicate_trip="trips that run like another one of the same line and days; all kept",
        local_times_entered="an arrival exactly 1 or 2 hours back: local times across a border?",
        overlapping_frequency="two rows of frequencies.txt of one trip overlap",
        agency_to_leave_out_not_found="the manifest leaves out an agency that is not in the feed",
        synthetic_agency="there is no agency.txt; one was made from the manifest",
    ),
    **_rules(
        "info",
        "note",
        byte_order_mark="the file begins with a byte order mark; removed",
        utf16="the file is UTF-16; converted",
        carriage_returns="doubled or lone carriage returns; read as line ends or blanks",
        control_characters="control characters were removed",
        leading_or_trailing_whitespaces="blanks around cells were removed",
        empty_row="blank lines, which are not counted as rows",
        unknown_file="not a file of GTFS Schedule; not read",
        unknown_column="not a column of GTFS Schedule; kept as text",
        nested_archive="the feed is inside a folder or a zip inside the zip",
        frequency_template="trips that frequencies.txt repeats; replaced by their runs",
        flex_trip="trips on demand within a time window; kept apart from the timetable",
        missing_position="stops without a position; reached by their trips only",
        second_opinion_failed="the other program could not read the feed",
        quality_sheet_skipped="too large a feed for gtfs-kit; no quality sheet",
    ),
}  # fmt: skip


class Findings:
    """Collects what is found in one feed; equal findings become one notice with their count."""

    def __init__(self, feed: str) -> None:
        self.feed = feed
        self._found: dict[tuple[str, str, str], Notice] = {}

    def add(
        self,
        code: str,
        file: str = "",
        *,
        row: int = 0,
        field: str = "",
        value: object = "",
        count: int = 1,
        detail: str = "",
    ) -> None:
        """Add ``count`` findings of a code; the place and value of the first one are kept."""
        if count <= 0:
            return
        rule = RULES[code]
        known = self._found.get((code, file, field))
        if known is not None:
            row, value, count = known.row, known.value, known.count + count
        self._found[code, file, field] = Notice(
            code=code,
            severity=rule.severity,
            feed=self.feed,
            file=file,
            row=row,
            field=field,
            value=str(value)[:VALUE_LENGTH],
            message=f"{rule.message}{': ' if detail else ''}{detail}",
            count=count,
        )

    def once(self, code: str, file: str) -> None:
        """Add a finding about a file as a whole, the first time only."""
        if (code, file, "") not in self._found:
            self.add(code, file)

    def notices(self) -> tuple[Notice, ...]:
        """Return the notices, errors first, then by file and place."""
        rank = {"error": 0, "warning": 1, "info": 2}
        return tuple(
            sorted(
                self._found.values(),
                key=lambda notice: (rank[notice.severity], notice.file, notice.row, notice),
            )
        )


def dropped_rows(notices: tuple[Notice, ...], file: str) -> int:
    """Return how many rows of a file the notices say were dropped."""
    return sum(
        notice.count
        for notice in notices
        if notice.file == file and RULES[notice.code].effect == "drop"
    )

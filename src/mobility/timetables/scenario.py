"""Scenarios: a file of edits against an edition, and what the region looks like after them.

An edit acts on the physical train: where two feeds list one train in part, both parts move or fall
away together, because it is one vehicle.
"""

from __future__ import annotations

import datetime as dt
import difflib
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import numpy.typing as npt
import polars as pl
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from mobility.core.errors import FormatVersionError, InputError, ManifestError
from mobility.core.ids import split_reference
from mobility.core.notices import Notice
from mobility.core.time import parse_gtfs_time
from mobility.merge.region import Region

FORMAT_VERSION = 1
MAX_SHIFT_MIN = 720  # half a day: more is another timetable, not a shift
MAX_EDITS = 1_000
MAX_REFERENCES = 1_000

References = Annotated[
    tuple[str, ...],
    BeforeValidator(lambda value: [value] if isinstance(value, str) else value),
    Field(min_length=1, max_length=MAX_REFERENCES),
]

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


class _Edit(BaseModel):
    """What all edits share: on which service dates they hold (all, where not given)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    from_date: dt.date | None = None
    until_date: dt.date | None = None

    @model_validator(mode="after")
    def _dates_in_order(self) -> _Edit:
        if self.from_date and self.until_date and self.from_date > self.until_date:
            raise ValueError("from_date lies after until_date")
        return self


class _LineEdit(_Edit):
    """An edit of all trains of a line, or of those that start in a band of the day.

    ``line`` is a reference, or a list of them where several feeds list the line: a train of two of
    them is edited once. ``starts_from`` and ``starts_before`` are GTFS times at the train's first
    stop, half-open.
    """

    line: References
    starts_from: str | None = None
    starts_before: str | None = None

    def band_s(self) -> tuple[int, int]:
        """Return the half-open band of first departures in seconds from the service-day origin."""
        bounds = []
        for text, default in ((self.starts_from, -(10**9)), (self.starts_before, 10**9)):
            seconds = default if text is None else parse_gtfs_time(f"{text}:00"[:8])
            if seconds is None:
                raise ManifestError(f"scenario: {text!r} is no time: expected HH:MM")
            bounds.append(seconds)
        return bounds[0], bounds[1]


class _Shift(BaseModel):
    shift_min: Annotated[int, Field(ge=-MAX_SHIFT_MIN, le=MAX_SHIFT_MIN)]


class ShiftLine(_Shift, _LineEdit):
    """Run every train of a line some minutes later (or earlier, below zero)."""

    kind: Literal["shift_line"]


class CancelLine(_LineEdit):
    """Run no train of a line."""

    kind: Literal["cancel_line"]


class ShiftTrip(_Shift, _Edit):
    """Run one trip some minutes later (or earlier, below zero)."""

    kind: Literal["shift_trip"]
    trip: References


class CancelTrip(_Edit):
    """Do not run one trip."""

    kind: Literal["cancel_trip"]
    trip: References


Edit = Annotated[ShiftLine | CancelLine | ShiftTrip | CancelTrip, Field(discriminator="kind")]


class Scenario(BaseModel):
    """A named list of edits, applied in order.

    Parameters
    ----------
    format : int
        Format version of the file.
    name : str
        What planners call it.
    edition : str
        Hash (or its beginning) of the edition it was written against; empty for any.
    edit : tuple of edits
        At least one.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: int
    name: str = ""
    edition: str = ""
    edit: Annotated[tuple[Edit, ...], Field(min_length=1, max_length=MAX_EDITS)]


def parse_scenario(document: dict[str, Any], source: str) -> Scenario:
    """Return the scenario of a document; ``source`` names it in errors.

    Raises
    ------
    FormatVersionError
        Another format version.
    ManifestError
        A key is missing, unknown or malformed; says which.
    """
    version = document.get("format")
    if version != FORMAT_VERSION:
        raise FormatVersionError(
            f"{source}: format {version!r} is not supported: expected format = {FORMAT_VERSION}"
        )
    try:
        return Scenario.model_validate(document)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise ManifestError(f"{source}: {place or 'document'}: {first['msg']}") from None


def read_scenario(path: Path) -> Scenario:
    """Return the scenario of a TOML file.

    Raises
    ------
    InputError
        The file is missing, no TOML, or not a scenario; one line says what and where.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read: {error}") from None
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ManifestError(f"{path}: no TOML: {error}") from None
    return parse_scenario(document, str(path))


def apply_scenario(
    region: Region, scenario: Scenario, *, edition_hash: str = ""
) -> tuple[Region, tuple[Notice, ...]]:
    """Return the region after the edits, and notices on what each edit did.

    The region given is not changed. An edit that touches no train is a warning, not an error.

    Raises
    ------
    ManifestError
        The scenario is for another edition, or names a line or trip that the region lacks.
    """
    if scenario.edition and edition_hash and not edition_hash.startswith(scenario.edition):
        raise ManifestError(
            f"scenario {scenario.name!r} is for edition {scenario.edition}, this is {edition_hash}"
        )
    notices: list[Notice] = []
    for number, edit in enumerate(scenario.edit, start=1):
        region, notice = _apply(region, edit, number)
        notices.append(notice)
    return region, tuple(notices)


def _apply(region: Region, edit: Edit, number: int) -> tuple[Region, Notice]:
    trains = _trains_of(region, edit)
    mask = _date_mask(region, edit)
    runs = region.days[region.tables["trains"]["service"].to_numpy()[trains]]
    active = (runs & mask).any(axis=1)
    trains, whole = trains[active], ~(runs[active] & ~mask).any(axis=1)
    target = ", ".join(edit.line if isinstance(edit, _LineEdit) else edit.trip)
    if not len(trains):
        message = "touches no train on any day of the edition: nothing is changed"
        return region, _notice(
            "scenario_edit_without_effect", "warning", number, target, message, 1
        )
    region, trains = _apart(region, trains, whole, mask)
    if isinstance(edit, ShiftLine | ShiftTrip):
        region = _shifted(region, trains, edit.shift_min * 60)
        message = f"{edit.kind}: {len(trains)} trains moved by {edit.shift_min} min"
    else:
        region = _without(region, trains)
        message = f"{edit.kind}: {len(trains)} trains cancelled"
    return region, _notice("scenario_edit", "info", number, target, message, len(trains))


def _notice(
    code: str, severity: Literal["warning", "info"], number: int, value: str, text: str, count: int
) -> Notice:
    return Notice(code, severity, row=number, field="edit", value=value, message=text, count=count)


def _date_mask(region: Region, edit: _Edit) -> Bools:
    day = np.arange(region.n_days)
    first = (edit.from_date - region.first_date).days if edit.from_date else 0
    last = (edit.until_date - region.first_date).days if edit.until_date else region.n_days - 1
    return (day >= first) & (day <= last)


def _trains_of(region: Region, edit: Edit) -> Ints:
    """Return the trains that a line's or trip's part belongs to, in order."""
    sections = region.tables["sections"]
    if isinstance(edit, ShiftTrip | CancelTrip):
        trips = [find_trip(region, trip) for trip in edit.trip]
    else:
        routes = [find_line(region, line) for line in edit.line]
        of_routes = np.isin(region.tables["trips"]["route"].to_numpy(), routes)
        trips = np.flatnonzero(of_routes).tolist()
    chosen = sections.filter(~pl.col("alias") & pl.col("trip").is_in(trips))
    trains = np.unique(chosen["train"].to_numpy()).astype(np.int64)
    if isinstance(edit, _LineEdit):
        first, before = edit.band_s()
        first_event = region.tables["trains"]["first_event"].to_numpy()[trains]
        starts = region.tables["stop_times"]["departure_s"].to_numpy()[first_event]
        trains = trains[(starts >= first) & (starts < before)]
    return trains


def _references(region: Region, table: str, column: str) -> list[tuple[str, str]]:
    frame = region.tables[table]
    feeds = [feed.id for feed in region.feeds]
    pairs = zip(frame["feed"].to_list(), frame[column].to_list(), strict=True)
    return [(feeds[feed], raw or "") for feed, raw in pairs]


def _find(region: Region, reference: str, table: str, columns: tuple[str, ...], what: str) -> int:
    feed_ids = [feed.id for feed in region.feeds]
    feed, raw = split_reference(reference, feed_ids)
    known: list[str] = []
    for column in columns:
        pairs = _references(region, table, column)
        hits = [i for i, (f, r) in enumerate(pairs) if r == raw and feed in (None, f)]
        if len(hits) == 1:
            return hits[0]
        if hits:
            names = ", ".join(sorted({f"{pairs[i][0]}:{pairs[i][1]}" for i in hits})[:5])
            raise ManifestError(f"{what} {reference!r} stands for several: {names}")
        known += [f"{f}:{r}" for f, r in pairs if r]
    close = difflib.get_close_matches(reference, sorted(set(known)), n=3, cutoff=0.5)
    hint = f": did you mean {', '.join(close)}?" if close else ""
    raise ManifestError(f"unknown {what} {reference!r}{hint or ': expected feed:id'}")


def find_line(region: Region, reference: str) -> int:
    """Return the row in ``routes`` of ``feed:route_id``, a raw id or a short name, if only one.

    Raises
    ------
    ManifestError
        No line, or several, go by that reference.
    """
    return _find(region, reference, "routes", ("route_id", "route_short_name"), "line")


def find_trip(region: Region, reference: str) -> int:
    """Return the row in ``trips`` of ``feed:trip_id`` or an unambiguous raw id.

    Raises
    ------
    ManifestError
        No trip, or several, go by that reference.
    """
    return _find(region, reference, "trips", ("trip_id",), "trip")


def _apart(region: Region, trains: Ints, whole: Bools, mask: Bools) -> tuple[Region, Ints]:
    """Give trains that are edited on some of their days a copy for just those days.

    Returns the region and the trains that the edit is to act on.
    """
    if whole.all():
        return region, trains
    split = trains[~whole]
    table = region.tables["trains"]
    service = table["service"].to_numpy().astype(np.int64)
    days = np.concatenate(
        [region.days, region.days[service[split]] & ~mask, region.days[service[split]] & mask]
    )
    n_old = len(region.days)
    service = np.concatenate([service, n_old + len(split) + np.arange(len(split))])
    service[split] = n_old + np.arange(len(split))
    days, rows = np.unique(days, axis=0, return_inverse=True)
    copies = table[split.tolist()]
    trains_table = pl.concat([table, copies]).with_columns(
        service=pl.Series(rows.reshape(-1)[service].astype(np.int32))
    )
    new_ids = table.height + np.arange(len(split))
    tables = dict(region.tables)
    if "services" in tables:
        kept = rows.reshape(-1)[tables["services"]["days"].to_numpy()].astype(np.int32)
        tables["services"] = tables["services"].with_columns(days=pl.Series(kept))
    tables["trains"] = trains_table
    tables["sections"] = _copied(tables["sections"], split, new_ids, ["from_pos", "alias", "trip"])
    tables["stop_times"] = _copied(tables["stop_times"], split, new_ids, [])
    region = _with_first_events(replace(region, tables=tables, days=days))
    return region, np.sort(np.concatenate([trains[whole], new_ids]))


def _copied(frame: pl.DataFrame, old: Ints, new: npt.NDArray[Any], by: list[str]) -> pl.DataFrame:
    """Append the rows of trains ``old`` under the numbers ``new``; order by train stays."""
    mapping = pl.DataFrame({"train": old.astype(np.int32), "copy": new.astype(np.int32)})
    copies = frame.join(mapping, on="train", how="inner", maintain_order="left")
    copies = copies.with_columns(train=pl.col("copy")).select(frame.columns)
    return pl.concat([frame, copies]).sort("train", *by, maintain_order=True)


def _with_first_events(region: Region) -> Region:
    trains = region.tables["trains"]
    n_events = trains["n_events"].to_numpy().astype(np.int64)
    first = np.concatenate([[0], np.cumsum(n_events)[:-1]]) if len(n_events) else n_events
    tables = dict(region.tables)
    tables["trains"] = trains.with_columns(first_event=pl.Series(first.astype(np.int64)))
    return replace(region, tables=tables)


def _shifted(region: Region, trains: Ints, shift_s: int) -> Region:
    moved = np.zeros(region.tables["trains"].height, dtype=np.int32)
    moved[trains] = shift_s
    stop_times = region.tables["stop_times"]
    by = moved[stop_times["train"].to_numpy()]
    tables = dict(region.tables)
    tables["stop_times"] = stop_times.with_columns(
        arrival_s=pl.Series(stop_times["arrival_s"].to_numpy() + by),
        departure_s=pl.Series(stop_times["departure_s"].to_numpy() + by),
    )
    return replace(region, tables=tables)


def _without(region: Region, trains: Ints) -> Region:
    stays = np.ones(region.tables["trains"].height, dtype=np.bool_)
    stays[trains] = False
    number = (np.cumsum(stays) - 1).astype(np.int32)
    tables = dict(region.tables)
    tables["trains"] = tables["trains"].filter(pl.Series(stays))
    for name in ("sections", "stop_times"):
        frame = tables[name].filter(pl.Series(stays[tables[name]["train"].to_numpy()]))
        tables[name] = frame.with_columns(train=pl.Series(number[frame["train"].to_numpy()]))
    return _with_first_events(replace(region, tables=tables))

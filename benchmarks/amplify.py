"""Make a SYNTHETIC feed of national size whose services run a whole year, out of one city's feed.

    python benchmarks/amplify.py CITY.zip FOLDER [--copies 80] [--year 2027]

Each copy of the city stands `--apart` degrees from the next, under ids of its own, with every file
that the city has. The calendar is made new: a service keeps its weekdays, runs from the first to
the last day of the year, and has exceptions: it rests on public holidays, where a Sunday service
runs instead, and on the days of works of its own. `--parts` splits each service into so many with
works on other days, as feeds of many depots have them. Deterministic; for SCALE only.
"""

import argparse
import datetime as dt
import hashlib
import io
import zipfile
from contextlib import ExitStack
from pathlib import Path

import polars as pl

# Columns that hold ids of the feed itself, wherever they stand.
IDS = ("stop_id", "route_id", "trip_id", "service_id", "shape_id", "block_id", "parent_station")
HOLIDAYS = (
    "01-01",
    "02-15",
    "03-26",
    "04-21",
    "05-01",
    "06-03",
    "09-07",
    "10-12",
    "11-02",
    "12-25",
)
WORKS_DAYS = 12
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
ONCE = {"agency.txt", "fare_attributes.txt"}  # files that all copies share
COLUMNS = 10  # copies side by side


def read_city(path: Path) -> dict[str, pl.DataFrame]:
    """Return the tables of a GTFS zip as text."""
    tables = {}
    with zipfile.ZipFile(path) as archive:
        for name in sorted(archive.namelist()):
            if name.endswith(".txt"):
                text = io.BytesIO(archive.read(name))
                tables[name] = pl.read_csv(text, infer_schema=False).fill_null("")
    return tables


def split_services(tables: dict[str, pl.DataFrame], parts: int) -> dict[str, pl.DataFrame]:
    """Return the tables with each service split into parts; a trip's row number says into which."""
    part = (pl.int_range(pl.len()) % parts).cast(pl.String)
    trips = tables["trips.txt"].with_columns(pl.col("service_id") + "/" + part)
    each = pl.DataFrame({"part": [str(i) for i in range(parts)]})
    calendar = tables["calendar.txt"].join(each, how="cross")
    calendar = calendar.with_columns(pl.col("service_id") + "/" + pl.col("part")).drop("part")
    return tables | {"trips.txt": trips, "calendar.txt": calendar}


def exceptions(service_id: str, sunday: bool, year: int) -> list[tuple[str, str, str]]:
    """Return the rows of calendar_dates of a service."""
    first = dt.date(year, 1, 1)
    digest = hashlib.sha256(service_id.encode()).digest()
    works = {first + dt.timedelta(days=7 * digest[i] % 365) for i in range(WORKS_DAYS)}
    rest = {dt.date.fromisoformat(f"{year}-{day}") for day in HOLIDAYS}
    days = [(day, "1" if sunday else "2") for day in sorted(rest)]
    days += [(day, "2") for day in sorted(works - rest)]
    return [(service_id, f"{day:%Y%m%d}", kind) for day, kind in days]


def year_calendar(calendar: pl.DataFrame, year: int) -> dict[str, pl.DataFrame]:
    """Return calendar and calendar_dates of the whole year."""
    whole = calendar.with_columns(
        pl.lit(f"{year}0101").alias("start_date"), pl.lit(f"{year}1231").alias("end_date")
    )
    services = whole.select("service_id", pl.col("sunday") == "1").iter_rows()
    rows = [row for service_id, sunday in services for row in exceptions(service_id, sunday, year)]
    dates = pl.DataFrame(rows, schema=["service_id", "date", "exception_type"], orient="row")
    return {"calendar.txt": whole, "calendar_dates.txt": dates}


def copy_of(tables: dict[str, pl.DataFrame], number: int, apart: float) -> dict[str, pl.DataFrame]:
    """Return the tables under the ids of a copy, with its stops and shapes moved."""
    shifts = {"lat": apart * (number // COLUMNS), "lon": apart * (number % COLUMNS)}
    out = {}
    for name, table in tables.items():
        own = [column for column in IDS if column in table.columns]
        moved = [
            (pl.col(column).cast(pl.Float64) + shifts[column.split("_")[-1]])
            .round(6)
            .cast(pl.String)
            for column in table.columns
            if column.endswith(("_lat", "_lon"))
        ]
        named = [
            pl.when(pl.col(column) != "")
            .then(f"c{number}_" + pl.col(column))
            .otherwise(pl.lit(""))
            .alias(column)
            for column in own
        ]
        out[name] = table.with_columns(*named, *moved)
    return out


def amplify(
    city: Path,
    folder: Path,
    *,
    copies: int = 80,
    first_year: int = 2027,
    parts: int = 4,
    apart: float = 0.5,
) -> int:
    """Write the feed and return its number of stop_times."""
    tables = split_services(read_city(city), parts)
    folder.mkdir(parents=True, exist_ok=True)
    tables.pop("feed_info.txt", None)
    for name in ONCE & set(tables):
        tables.pop(name).write_csv(folder / name)
    rows = 0
    with ExitStack() as stack:
        files = {
            name: stack.enter_context((folder / name).open("wb"))
            for name in {*tables, "calendar_dates.txt"}
        }
        for number in range(copies):
            copied = copy_of(tables, number, apart)
            copied |= year_calendar(copied["calendar.txt"], first_year)
            rows += copied["stop_times.txt"].height
            for name, table in copied.items():
                table.write_csv(files[name], include_header=number == 0)
    return rows


def main() -> None:
    """Write one feed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("city", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--copies", type=int, default=80)
    parser.add_argument("--year", type=int, default=2027)
    parser.add_argument("--parts", type=int, default=4)
    parser.add_argument("--apart", type=float, default=0.5, help="degrees between copies")
    args = parser.parse_args()
    rows = amplify(
        args.city,
        args.folder,
        copies=args.copies,
        first_year=args.year,
        parts=args.parts,
        apart=args.apart,
    )
    print(f"{args.folder}: {rows:,} stop_times")


if __name__ == "__main__":
    main()

"""`mobility region new|status`: start a region's manifest, see how a region stands."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from mobility.cli.clock import clock_of
from mobility.cli.output import counted, err, out, print_json, print_table, progress_on_stderr
from mobility.cli.region_file import NewFeed, region_text
from mobility.core.errors import CheckFailed, FeedError, InputError, ManifestError, UsageError
from mobility.core.files import make_folder, remove, write_atomic
from mobility.core.ids import FEED_ID, feed_id_from_name
from mobility.core.notices import Severity
from mobility.core.settings import Settings
from mobility.feeds import (
    RULES,
    FeedConfig,
    FeedStatus,
    Manifest,
    Progress,
    read_feed,
    read_manifest,
    region_status,
)
from mobility.feeds.versions.status import version_document
from mobility.merge.review.propose import Proposal, propose

app = typer.Typer(help="A region's manifest and how its data stand.", no_args_is_help=True)

MANIFEST = "region.toml"
DRAFT = ".region.toml.new"
COUNTED = ("read", "kept", "repaired", "dropped")
FORMATS = {".zip": "gtfs", ".gtfs": "gtfs", ".xlsx": "sheet"}
FEED_FIELDS = (
    *("country", "precedence", "licence", "attribution", "tier"),
    *("train_number", "border_point", "default_timezone"),
)
Ask = Callable[[str, str], str]


@app.command("new")
def new_command(
    folder: Annotated[Path, typer.Argument(help="Folder of the region to start.")],
    sources: Annotated[
        list[str] | None,
        typer.Argument(help="Zips, folders, sheets, https addresses; none: those in FOLDER."),
    ] = None,
    region_id: Annotated[str, typer.Option("--id", help="Id of the region; else FOLDER's.")] = "",
    name: Annotated[str, typer.Option(help="What people call the region.")] = "",
    timezone: Annotated[str, typer.Option(help="Zone, such as Europe/Zurich.")] = "",
    languages: Annotated[str, typer.Option(help="Such as de,fr,en.")] = "",
    answers: Annotated[
        list[str] | None,
        typer.Option(
            "--answer",
            metavar="FEED.FIELD=VALUE",
            help=f"Of a feed: {', '.join(FEED_FIELDS)} (train_number=COLUMN:PATTERN).",
        ),
    ] = None,
    prompt: Annotated[
        bool, typer.Option("--ask/--no-ask", help="Ask on a terminal what is not given.")
    ] = True,
) -> None:
    """Start a region: read its feeds, propose what they suggest, leave the rest as questions."""
    target = folder / MANIFEST
    if target.exists():
        raise InputError(f"{target}: there is a region already: edit it, or give another folder")
    own = feed_answers(answers or ())
    with progress_on_stderr() as report:
        feeds = [_new_feed(source, folder, own, report) for source in _sources(folder, sources)]
    unknown = sorted(set(own) - {feed.id for feed in feeds})
    if unknown:
        known = ", ".join(feed.id for feed in feeds)
        raise UsageError(f"--answer {unknown[0]}.…: no such feed; there are: {known}")
    stated = {
        "id": region_id or feed_id_from_name(folder.resolve().name),
        "name": name,
        "timezone": timezone,
        "languages": languages,
    }
    if prompt and sys.stdin.isatty():
        stated, feeds = ask_all(stated, feeds, _prompt)
    text = region_text(stated, feeds, str(folder))
    write_checked(folder, text)
    questions = text.count("QUESTION:") - 1  # the head explains the word
    count = counted(len(feeds), "feed", "feeds")
    out.print(f"{target}: {count}; questions left open: {questions}", markup=False)
    out.print(f"next: mobility build {folder} -o EDITION", markup=False)


def feed_answers(words: Sequence[str]) -> dict[str, dict[str, str]]:
    """Return what ``FEED.FIELD=VALUE`` words say, by feed and field.

    Raises
    ------
    UsageError
        A word has another form, or names no field.

    >>> feed_answers(["north.country=CH", "north.licence=CC0-1.0"])
    {'north': {'country': 'CH', 'licence': 'CC0-1.0'}}
    """
    found: dict[str, dict[str, str]] = {}
    for word in words:
        place, equals, value = word.partition("=")
        feed, dot, name = place.partition(".")
        if not (equals and dot and FEED_ID.fullmatch(feed)):
            raise UsageError(f"--answer {word!r}: expected FEED.FIELD=VALUE")
        if name not in FEED_FIELDS:
            raise UsageError(f"--answer {word!r}: no such field; one of {', '.join(FEED_FIELDS)}")
        if name == "precedence" and not value.isdecimal():
            raise UsageError(f"--answer {word!r}: precedence is a whole number")
        if name == "train_number" and ":" not in value:
            raise UsageError(f"--answer {word!r}: expected COLUMN:PATTERN")
        found.setdefault(feed, {})[name] = value
    return found


def _sources(folder: Path, sources: Sequence[str] | None) -> list[str]:
    if sources:
        return list(sources)
    inside = sorted(path for path in folder.glob("*") if path.suffix.lower() in FORMATS)
    if not inside:
        raise UsageError(f"give the region's feeds, or put them into {folder}")
    return [str(path) for path in inside]


def _new_feed(
    source: str, folder: Path, own: Mapping[str, Mapping[str, str]], report: Progress
) -> NewFeed:
    """Return a feed with what it suggests; an address is taken as it is."""
    if "://" in source:
        stem = Path(source.partition("?")[0]).stem or "feed"
        feed_id = feed_id_from_name(stem)
        return NewFeed(feed_id, source, "gtfs", None, own.get(feed_id, {}))
    path = Path(source)
    feed_id = feed_id_from_name(path.stem if path.suffix.lower() in FORMATS else path.name)
    kind = FORMATS.get(path.suffix.lower(), "gtfs")
    answers = own.get(feed_id, {})
    proposal = _proposal(feed_id, path, kind, answers.get("default_timezone"), report)
    return NewFeed(feed_id, stated_path(path, folder), kind, proposal, answers)


def _proposal(feed_id: str, path: Path, kind: str, zone: str | None, report: Progress) -> Proposal:
    config = FeedConfig(id=feed_id, path=path, format=kind, default_timezone=zone)
    try:
        return propose(read_feed(config, check=False, progress=report))
    except FeedError as error:
        raise FeedError(f"{error}; a region starts from feeds that can be read") from None


def stated_path(path: Path, folder: Path) -> str:
    """Return a path as the manifest in a folder states it: relative, with forward slashes."""
    try:
        relative = os.path.relpath(path.resolve(), folder.resolve())
    except ValueError:  # another drive
        return path.resolve().as_posix()
    return Path(relative).as_posix()


def _prompt(question: str, proposed: str) -> str:
    """Ask on the terminal; an empty answer takes what is proposed, or leaves the question open."""
    answer: str = typer.prompt(question, default=proposed, show_default=bool(proposed), err=True)
    return answer.strip()


def ask_all(
    stated: Mapping[str, str], feeds: Sequence[NewFeed], ask: Ask
) -> tuple[dict[str, str], list[NewFeed]]:
    """Return the answers with those that ``ask`` gives to what is not stated yet."""
    zones = [feed.proposal.zone for feed in feeds if feed.proposal]
    proposed = {"timezone": max(zones, key=zones.count, default="")}
    questions = {
        "name": "What do people call the region?",
        "timezone": "In which time zone does it live?",
        "languages": "In which languages do people read (such as de,fr,en)?",
    }
    said = dict(stated)
    for key, question in questions.items():
        said[key] = said[key] or ask(question, proposed.get(key, ""))
    return said, [_asked(feed, ask) for feed in feeds]


def _asked(feed: NewFeed, ask: Ask) -> NewFeed:
    guess = feed.proposal.country if feed.proposal else None
    questions = {
        "country": ("country (ISO 3166)", guess.country if guess else ""),
        "licence": ("licence (SPDX id)", ""),
        "attribution": ("whom to name", feed.proposal.publisher if feed.proposal else ""),
    }
    own = dict(feed.answers)
    for key, (question, proposed) in questions.items():
        if key not in own:
            own[key] = ask(f"{feed.id}: {question}", proposed)
    return NewFeed(feed.id, feed.source, feed.format, feed.proposal, own)


def write_checked(folder: Path, text: str) -> None:
    """Write the manifest once it reads back; else leave nothing.

    Raises
    ------
    UsageError
        An answer does not fit the field; the reader's words say which.
    """
    draft = make_folder(folder) / DRAFT
    try:
        write_atomic(draft, text.encode())
        read_manifest(draft)
        draft.rename(folder / MANIFEST)
    except ManifestError as error:
        raise UsageError(str(error).removeprefix(f"{draft}: ")) from None
    finally:
        remove(draft)


@app.command("status")
def status_command(
    region: Annotated[Path, typer.Argument(help="A region folder, region.toml, or an edition.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Say what the region's page says: alarms, feeds, counts, what to review; exit 3 on errors."""
    settings = Settings()
    document = (
        _edition_status(region, settings)
        if (region / "edition.json").is_file()
        else _region_status(read_manifest(region), settings)
    )
    if as_json:
        print_json(document)
    else:
        _print_status(document)
    red = [alarm for alarm in document["alarms"] if alarm["severity"] == "error"]
    if red:
        count = counted(len(red), "alarm is an error", "alarms are errors, first")
        raise CheckFailed(f"{count}: {red[0]['message']}")


def _edition_status(edition: Path, settings: Settings) -> dict[str, Any]:
    from mobility.api.region import RegionFacts
    from mobility.api.region_desk import RegionDesk
    from mobility.network import open_edition

    opened = open_edition(edition)
    tz = RegionFacts(opened, None).tz
    return RegionDesk(opened, clock_of(settings), tz, settings.home).overview("en")


def _region_status(manifest: Manifest, settings: Settings) -> dict[str, Any]:
    """Return the same document as far as feeds alone tell it: nothing is merged for it."""
    today = clock_of(settings)().date()
    status = region_status(manifest, settings.home, today)
    configs = {config.id: config for config in manifest.feeds}
    stated = manifest.model_dump(
        mode="json", by_alias=True, include={"border_checks", "boarding_bans"}
    )
    return {
        "id": manifest.id,
        "name": manifest.name,
        "today": today.isoformat(),
        "alarms": [
            {**alarm.document(), "message": f"{alarm.feed}: {alarm.message}"}
            for alarm in status.alarms
        ],
        "feeds": [_feed_status(feed, configs[feed.id]) for feed in status.feeds if not feed.skip],
        "skipped": [{"id": feed.id, "reason": feed.skip} for feed in status.feeds if feed.skip],
        **stated,
        "hand_overs": len(manifest.hand_overs),
        "decisions": len(manifest.decisions),
    }


def _feed_status(feed: FeedStatus, config: FeedConfig) -> dict[str, Any]:
    summary = feed.active.summary if feed.active else None
    tables = summary.tables.values() if summary else ()
    found: dict[Severity, int] = {"error": 0, "warning": 0, "info": 0}
    for code, rows in summary.notices.items() if summary else ():
        found[RULES[code].severity if code in RULES else "warning"] += rows
    return {
        "id": feed.id,
        "version": summary.version if summary else None,
        "valid_from": summary.valid_from.isoformat() if summary else None,
        "valid_until": summary.valid_until.isoformat() if summary else None,
        "country": config.country,
        "licence": config.licence,
        "attribution": config.attribution,
        "tier": config.tier,
        "counts": {key: sum(getattr(counts, key) for counts in tables) for key in COUNTED},
        "notices": found,
        "versions": [version_document(version) for version in feed.versions],
    }


def _print_status(document: Mapping[str, Any]) -> None:
    for alarm in document["alarms"]:
        err.print(f"{alarm['severity']}: {alarm['message']}", markup=False)
        err.print(f"    {alarm['advice']}", markup=False)
    if not document["alarms"]:
        out.print("nothing calls for attention today")
    columns = ("feed", "from", "until", "tier", "licence", "rows read", "dropped", "findings")
    title = f"{document['id']}, {document['today']}"
    print_table(title, columns, [*map(_row, document["feeds"])], whole=True)
    for feed in document["skipped"]:
        out.print(f"{feed['id']} is left out: {feed['reason']}", markup=False)
    if "to_review" in document:
        joined = ", ".join(f"{kind} {n}" for kind, n in document["trains"].items())
        out.print(f"stations: {document['stations']:,}; trains joined: {joined}")
        pairs = document["to_review"]
        out.print(
            f"to review: {pairs['stations']} pairs of stations, {pairs['trains']} pairs of trips; "
            "the review asks each train once"
        )
    else:
        out.print("to review: mobility merge review tells; it reads and joins all feeds")
    out.print(
        "stated: "
        + ", ".join(
            (
                counted(len(document["border_checks"]), "border check", "border checks"),
                counted(len(document["boarding_bans"]), "boarding ban", "boarding bans"),
                counted(document["hand_overs"], "hand-over", "hand-overs"),
                counted(document["decisions"], "decision", "decisions"),
            )
        )
    )


def _row(feed: Mapping[str, Any]) -> list[str]:
    findings = ", ".join(f"{n:,} {level}" for level, n in feed["notices"].items() if n)
    return [
        *(str(feed[name] or "–") for name in ("id", "valid_from", "valid_until", "tier")),
        feed["licence"] or "not stated",
        *(f"{feed['counts'][key]:,}" for key in ("read", "dropped")),
        findings or "none",
    ]

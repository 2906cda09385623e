"""`mobility live`: follow operators' live messages for an edition that is served."""

from __future__ import annotations

import datetime as dt
import time
from pathlib import Path
from typing import Annotated

import typer

from mobility.cli.clock import clock_of
from mobility.cli.output import err, print_json
from mobility.core.errors import FeedError
from mobility.core.files import sole_writer
from mobility.core.settings import Settings
from mobility.feeds import Manifest, read_manifest
from mobility.feeds.realtime.source import LIMITS, Inbox, LiveSource
from mobility.feeds.versions.download import Downloader
from mobility.network import open_edition
from mobility.network.live.files import SourceState
from mobility.network.live.poller import Polled, Poller, give_way

SHORT_HASH = 12


def live(
    edition: Annotated[Path, typer.Argument(help="Folder of an edition.")],
    sources: Annotated[
        list[str] | None,
        typer.Option(
            "--source", metavar="FEED=FILE_OR_URL",
            help="Live messages of a feed; FORMAT+ before the address: not GTFS Realtime.",
        ),
    ] = None,
    region: Annotated[
        Path | None, typer.Option(help="Region folder or region.toml that names sources.")
    ] = None,
    every: Annotated[
        float, typer.Option(min=1, max=3600, help="Seconds from one poll to the next.")
    ] = 15,
    once: Annotated[bool, typer.Option("--once", help="Poll once and end.")] = False,
    home: Annotated[Path | None, typer.Option(help="Folder for what changes.")] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="With --once: print one JSON document.")
    ] = False,
) -> None:  # fmt: skip
    """Read live messages and write the running day, which serve and plan take up.

    Goes on until interrupted; a source that fails keeps what it said last. With --once, exit 1
    where no source could be read.
    """
    settings = Settings() if home is None else Settings(home=home)
    opened = open_edition(edition)
    given = [LiveSource.parse(text) for text in sources or []]
    if region is not None:
        given += sources_of(read_manifest(region))
    clock = clock_of(settings)
    downloader = Downloader(private=settings.fetch_private, limits=LIMITS, clock=clock)
    poller = Poller(opened, given, settings.home, inbox=Inbox(downloader), clock=clock)
    with sole_writer(poller.folder):
        if not once:
            give_way()
        while True:
            begun = time.monotonic()
            polled = poller.poll()
            took_s = time.monotonic() - begun
            if not (once and as_json):
                _tell(polled, int(clock().timestamp()), took_s)
            if once:
                break
            time.sleep(max(0.0, every - took_s))
    if as_json:
        print_json(
            {
                "version": polled.version,
                "runs": polled.n_runs,
                "added": polled.n_added,
                "sources": [
                    {
                        "feed": one.feed, "address": one.address, "timestamp": one.timestamp,
                        "fault": one.fault or None, "counts": dict(one.counts or {}),
                    }
                    for one in polled.sources
                ],
            }
        )  # fmt: skip
    if all(one.timestamp is None and one.received_s is None for one in polled.sources):
        raise FeedError("; ".join(one.fault for one in polled.sources))


def sources_of(manifest: Manifest) -> list[LiveSource]:
    """Return the sources that a region's manifest names; files beside it are found there."""
    return [
        LiveSource.of(feed.id, address).beside(manifest.folder)
        for feed in manifest.used
        for address in feed.realtime
    ]


def _tell(polled: Polled, now_s: int, took_s: float) -> None:
    """Print one line a poll: when, how each source stands, and what came of it."""
    clock = dt.datetime.fromtimestamp(now_s, dt.UTC).strftime("%H:%M:%SZ")
    told = "; ".join(_source_text(one, now_s) for one in polled.sources)
    err.print(
        f"{clock} {told}; {polled.n_runs} runs changed, {polled.n_added} added,"
        f" version {polled.version[:SHORT_HASH]}, {took_s:.2f} s",
        highlight=False, markup=False, soft_wrap=True,
    )  # fmt: skip


def _source_text(source: SourceState, now_s: int) -> str:
    if source.fault and source.received_s is None:
        return f"error: {source.fault}"
    counts = source.counts or {}
    parts = [f"{count} {name.replace('_', ' ')}" for name, count in counts.items()]
    age_s = source.age_s(now_s)
    told = f"{source.feed}: {', '.join(parts) or 'nothing'} ({age_s} s old)"
    return f"{told} [error: {source.fault}]" if source.fault else told

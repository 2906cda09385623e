"""`mobility serve` and `mobility demo`: the API and the pages."""

from __future__ import annotations

import hashlib
import logging
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

import mobility
from mobility.cli.clock import clock_of
from mobility.cli.output import err, progress_on_stderr
from mobility.cli.workers import Service, Workers, listen, serve_worker
from mobility.core.errors import EnvironmentFault, InputError
from mobility.core.settings import Settings
from mobility.network.current import EditionHome
from mobility.network.edition_file import read_edition_file


def serve(
    edition: Annotated[
        Path | None,
        typer.Argument(help="Folder of an edition; without one, that in use in the home."),
    ] = None,
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="Port to listen on.")] = None,
    host: Annotated[str, typer.Option(help="Address to bind to.")] = "",
    workers: Annotated[
        int | None, typer.Option(min=1, max=64, help="Processes that answer.")
    ] = None,
) -> None:
    """Serve the API and the pages of an edition, or of the one in use, whichever that becomes."""
    settings = Settings() if workers is None else Settings(workers=workers)
    run_server(edition, settings, host=host or settings.host, port=port or settings.port)


def demo(
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="Port to listen on.")] = None,
    home: Annotated[Path | None, typer.Option(help="Folder for what changes.")] = None,
) -> None:
    """Build the sample region where needed, serve it, and print the address."""
    settings = Settings() if home is None else Settings(home=home)
    edition = demo_edition(settings.home)
    run_server(edition, settings, host=settings.host, port=port or settings.port)


def demo_edition(home: Path) -> Path:
    """Return the folder of the sample region's edition, built if it is not there yet."""
    region = sample_region()
    digest = _digest(region, region.parent.parent / "fares" / region.name)
    folder = home / "editions" / f"sample-{digest[:16]}"
    if not (folder / "edition.json").is_file():
        from mobility.cli.build import build_edition
        from mobility.feeds import read_manifest

        err.print("building the sample region …")
        folder.parent.mkdir(parents=True, exist_ok=True)
        with progress_on_stderr() as report:
            build_edition(read_manifest(region), folder, report=report)
    return folder


def sample_region() -> Path:
    """Return the folder of the region that ships with the program."""
    package = Path(mobility.__file__).parent
    for root in (package / "sample" / "feeds", package.parent.parent / "feeds"):
        regions = sorted(root.glob("*/region.toml"))
        if regions:
            return regions[0].parent
    raise EnvironmentFault("the sample region is not installed: expected feeds/*/region.toml")


def _digest(*folders: Path) -> str:
    """Return a hash of all files, so that a changed sample is built anew."""
    digest = hashlib.sha256(mobility.__version__.encode())
    for path in _files(folders):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def _files(folders: tuple[Path, ...]) -> Iterator[Path]:
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if path.is_file() and path.suffix in (".toml", ".csv", ".zip"):
                yield path


def run_server(edition: Path | None, settings: Settings, *, host: str, port: int) -> None:
    """Serve until interrupted; prints the address once it is bound.

    Raises
    ------
    InputError
        No edition is there, or none is in use; told before a port is bound.
    EnvironmentFault
        The address cannot be had, or the workers cannot start.
    """
    if edition is not None:
        read_edition_file(edition)
    elif EditionHome(settings.home).current() is None:
        raise InputError(
            f"{settings.home}: no edition is in use: take one with mobility edition activate"
        )
    clock_of(settings)  # a wrong instant is told here
    with listen(host, port) as listening:
        service = Service(edition, settings, logging.getLogger().level)
        workers = Workers(serve_worker, (listening, service), settings.workers)
        err.print(f"serving on http://{host}:{port}/  (stop with Ctrl-C)")
        if workers.run() == signal.SIGINT:
            raise KeyboardInterrupt

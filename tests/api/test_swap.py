"""Another edition comes into use while questions are asked: none fails, none sees two editions."""

from __future__ import annotations

import asyncio
import datetime as dt
import itertools
import re
import shutil
import threading
import weakref
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.types import Message, Receive, Scope, Send

from mobility.api import Limits, create_app
from mobility.api.served import Served
from mobility.api.switch import EDITION_HEADER, Opened, Standing, Switch
from mobility.core.settings import Settings
from mobility.network import Edition, compile_network, open_edition, write_edition
from mobility.network.current import Cause, Change, EditionHome, activate, rollback

NOW = dt.datetime(2027, 5, 4, 5, 0, tzinfo=dt.UTC)
IDS = itertools.count()
PARTS = ("tariff.json", "agreements.json")
JOURNEY = {"from": "Lörrach Hbf", "to": "Mulhouse Ville", "depart": "2027-05-04T07:00"}
FARES = {"from": "Lörrach Hbf", "to": "Liestal", "depart": "2027-05-04T07:00"}
QUESTIONS: list[tuple[str, str, dict[str, Any]]] = [
    ("GET", "/api/v1/journeys", {"params": JOURNEY}),
    ("POST", "/api/v1/fares", {"json": FARES}),
    ("GET", "/api/v1/places", {"params": {"text": "Basel"}}),
    ("GET", "/api/v1/region", {}),
    ("GET", "/api/v1/region/status", {}),
    ("GET", "/api/v1/region/notices", {}),
    ("GET", "/api/v1/region/coverage", {}),
    ("GET", "/api/v1/map/stations", {}),
    ("GET", "/api/v1/health", {}),
]


def cause() -> Cause:
    return Cause("tester", lambda: NOW, f"change-{next(IDS)}")


def rebuilt(edition: Edition, folder: Path, walk_radius_m: int) -> str:
    """Write the edition with another walking radius: equal tables, another network."""
    region = edition.region()
    network = compile_network(region, walk_radius_m=walk_radius_m)
    parts = {name: edition.part(name) or b"{}" for name in PARTS}
    return write_edition(folder, region, network, parts)


@pytest.fixture(scope="module")
def built(
    sample_edition: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Path, Path]:
    """Return three editions of the sample region."""
    folder, sample = tmp_path_factory.mktemp("built"), open_edition(sample_edition)
    for radius in (250, 300):
        rebuilt(sample, folder / str(radius), radius)
    return sample_edition, folder / "250", folder / "300"


@pytest.fixture(scope="module")
def one_home(built: tuple[Path, ...], tmp_path_factory: pytest.TempPathFactory) -> EditionHome:
    """Return a home that has taken in all three editions."""
    made = EditionHome(tmp_path_factory.mktemp("swap") / "home")
    for path in built:
        activate(made, path, cause())
    return made


@pytest.fixture
def home(one_home: EditionHome, built: tuple[Path, ...]) -> EditionHome:
    """Return that home with the first edition in use."""
    use(one_home, built[0])
    return one_home


def use(home: EditionHome, path: Path) -> str:
    """Put an edition into use that was taken in, without verifying it again; return its hash."""
    current, wanted = home.current(), open_edition(path).hash
    before = current.edition if current else ""
    home.record(Change(f"change-{next(IDS)}", "activate", wanted, before, NOW, "tester"))
    return wanted


class Caller:
    """Asks an application in its own event loop."""

    def __init__(self, client: httpx2.AsyncClient) -> None:
        self.client = client

    async def edition(self, **query: str) -> str:
        answer = await self.client.get("/api/v1/health", params=query or None)
        assert answer.status_code == 200, answer.text
        found: str = answer.json()["versions"]["edition"]
        return found

    async def until(self, wanted: str) -> None:
        async with asyncio.timeout(20):
            while await self.edition() != wanted:
                await asyncio.sleep(0.02)

    async def ready(self) -> None:
        async with asyncio.timeout(60):
            while (await self.client.get("/readyz")).status_code != 200:
                await asyncio.sleep(0.05)


@asynccontextmanager
async def served(home: EditionHome, **settings: Any) -> AsyncIterator[Caller]:
    """Serve what is in use in a home."""
    app = create_app(
        None, Settings(home=home.home, **settings), lambda: NOW, limits=Limits(threads=2)
    )
    transport = httpx2.ASGITransport(app=app)
    async with (
        app.router.lifespan_context(app),
        httpx2.AsyncClient(transport=transport, base_url="http://test") as client,
    ):
        yield Caller(client)


def test_every_question_is_answered_by_one_edition_while_editions_change(
    home: EditionHome, built: tuple[Path, ...]
) -> None:
    known = [open_edition(path).versions for path in built]

    answers: list[httpx2.Response] = []

    async def ask(caller: Caller) -> None:
        for method, address, options in itertools.cycle(QUESTIONS):
            answers.append(await caller.client.request(method, address, **options))

    async def told(edition: str) -> None:
        asked = len(answers)
        async with asyncio.timeout(60):
            while edition not in {a.headers[EDITION_HEADER] for a in answers[asked:]}:
                await asyncio.sleep(0.02)

    async def run() -> None:
        async with served(home) as caller:
            asking = [asyncio.create_task(ask(caller)) for _ in range(4)]
            for path in (built[1], built[2], built[0], built[1]):
                await told(use(home, path))
            await told((await asyncio.to_thread(rollback, home, cause())).edition)
            for task in asking:
                task.cancel()
            stopped = await asyncio.gather(*asking, return_exceptions=True)
            assert all(isinstance(one, asyncio.CancelledError) for one in stopped)

    asyncio.run(run())
    assert {answer.status_code for answer in answers} == {200}
    named = [answer.json()["versions"] for answer in answers]
    assert all(versions in known for versions in named)
    assert [versions["edition"] for versions in named] == [
        a.headers[EDITION_HEADER] for a in answers
    ]
    assert {versions["edition"] for versions in named} == {v["edition"] for v in known}


def test_the_edition_before_still_answers_who_names_it(
    home: EditionHome, built: tuple[Path, ...]
) -> None:
    async def run() -> None:
        async with served(home) as caller:
            await caller.ready()
            first = await caller.edition()
            before = await caller.client.get("/api/v1/journeys", params=JOURNEY)
            await caller.until(use(home, built[1]))
            for name in (first, first[:12]):
                assert await caller.edition(edition=name) == first
            named = {**JOURNEY, "edition": first}
            after = await caller.client.get("/api/v1/journeys", params=named)
            now = await caller.client.get("/api/v1/journeys", params=JOURNEY)
            assert after.json() == before.json()
            assert after.headers["etag"] == before.headers["etag"] != now.headers["etag"]
            posted = await caller.client.post(f"/api/v1/fares?edition={first}", json=FARES)
            assert posted.json()["versions"]["edition"] == first
            words = {"from": "Liestal", "to": "Basel SBB", "date": "2027-05-04", "time": "07:00"}
            page = await caller.client.get("/search", params={**words, "lang": "en"})
            link = f"edition={home.current().edition[:12]}"  # type: ignore[union-attr]
            assert link in page.text and f"edition={first}" not in page.text
            page = await caller.client.get(
                "/search", params={**words, "lang": "en", "edition": first[:12]}
            )
            assert page.headers[EDITION_HEADER] == first
            assert f"timetable edition {first[:12]}" in page.text and link not in page.text
            links = re.findall(r'<a class="page" href="/search\?([^"]*)"', page.text)
            assert len(links) == 2 and all(f"edition={first[:12]}" in link for link in links)

    asyncio.run(run())


def test_an_edition_that_is_not_kept_is_a_problem_of_its_own(home: EditionHome) -> None:
    async def run() -> None:
        async with served(home) as caller:
            assert (await caller.client.get("/api/v1/health?edition=")).status_code == 200
            for name in ("0" * 64, "nonsense", "..%2F..", "a8c6", "edition=edition="):
                answer = await caller.client.get(f"/api/v1/health?edition={name}")
                assert answer.status_code == 404, name
                assert answer.json()["type"] == "urn:mobility:problem:unknown-edition"
                assert answer.headers["x-content-type-options"] == "nosniff"
                assert answer.headers["trace-id"] == answer.json()["trace_id"]

    asyncio.run(run())


def test_an_edition_that_breaks_is_not_served_and_the_region_says_so(
    home: EditionHome, built: tuple[Path, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mobility.api.switch.RETRY_S", 0.2)
    second = open_edition(built[1]).hash

    async def alarms(caller: Caller) -> list[str]:
        answer = await caller.client.get("/api/v1/region/status", params={"language": "en"})
        return [a["code"] for a in answer.json()["alarms"] if "edition" in a["code"]]

    async def run() -> None:
        async with served(home) as caller:
            await caller.ready()
            first = await caller.edition()
            assert await alarms(caller) == []
            use(home, built[1])
            network = home.path_of(second) / "network.bin"
            whole = network.read_bytes()
            network.unlink()  # between activation and the server's look
            network.write_bytes(whole[:5000])
            async with asyncio.timeout(20):
                while not await alarms(caller):
                    await asyncio.sleep(0.02)
            assert await caller.edition() == first
            assert (await caller.client.get("/readyz")).status_code == 200
            asked = await caller.client.get("/api/v1/health", params={"edition": second})
            assert asked.status_code == 404
            network.unlink()
            network.write_bytes(whole)
            await caller.until(second)
            assert await alarms(caller) == []

    asyncio.run(run())


def test_another_edition_in_the_place_of_one_is_not_served_for_it(
    home: EditionHome, built: tuple[Path, ...]
) -> None:
    second, third = (open_edition(path).hash for path in built[1:])
    home.path_of(second).rename(home.home / "aside")
    shutil.copytree(home.path_of(third), home.path_of(second))

    async def run() -> None:
        async with served(home) as caller:
            asked = await caller.client.get("/api/v1/health", params={"edition": second})
            assert asked.status_code == 404
            assert await caller.edition(edition=third) == third

    try:
        asyncio.run(run())
    finally:
        shutil.rmtree(home.path_of(second))
        (home.home / "aside").rename(home.path_of(second))


def test_a_server_starts_from_the_edition_before_where_the_one_in_use_is_broken(
    home: EditionHome, built: tuple[Path, ...]
) -> None:
    first, second = open_edition(built[0]).hash, use(home, built[1])
    home.path_of(second).rename(home.home / "aside")

    async def run() -> None:
        async with served(home) as caller:
            assert await caller.edition() == first
            status = (await caller.client.get("/api/v1/region/status")).json()
            assert "edition_not_opened" in [alarm["code"] for alarm in status["alarms"]]

    try:
        asyncio.run(run())
    finally:
        (home.home / "aside").rename(home.path_of(second))


def test_so_many_editions_stay_open_and_no_more(
    home: EditionHome, built: tuple[Path, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[weakref.ref[Edition]] = []

    def noted(folder: Path) -> Edition:
        edition = open_edition(folder)
        opened.append(weakref.ref(edition))
        return edition

    monkeypatch.setattr("mobility.api.app.open_edition", noted)

    def alive() -> int:
        return sum(edition() is not None for edition in opened)

    async def run() -> None:
        async with served(home, open_editions=2) as caller:
            await caller.ready()
            for path in [built[1], built[2], built[0]] * 2:
                await caller.until(use(home, path))
                assert (await caller.client.get("/api/v1/journeys", params=JOURNEY)).is_success
                async with asyncio.timeout(20):
                    while alive() > 2:
                        await asyncio.sleep(0.02)
            assert await caller.edition(edition=open_edition(built[1]).hash)  # opened again
            assert len(opened) >= 6

    asyncio.run(run())


def test_what_answers_was_not_closed_though_others_are_asked_for_while_it_is_opened(
    home: EditionHome, built: tuple[Path, ...]
) -> None:
    first, second, third = (open_edition(path).hash for path in built)
    may_open, closed, answered = threading.Event(), list[int](), list[tuple[str, int]]()
    numbers = itertools.count()

    def made(edition: str) -> Opened:
        number = next(numbers)

        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            answered.append((edition, number))

        return Opened(edition, answer, tuple, lambda _: None, lambda: closed.append(number))

    def opener(path: Path) -> Opened:
        assert may_open.wait(20)
        return made(path.name)

    async def ask(query: bytes) -> None:
        await switch({"type": "http", "query_string": query, "headers": []}, nothing, nothing)

    async def nothing(*_: object) -> Message:
        return {}

    switch = Switch(made(first), opener, home, Standing(), kept=2)

    async def run() -> None:
        async with switch.running():
            use(home, built[1])
            await asyncio.sleep(0.2)  # the second one is being opened
            other = asyncio.create_task(ask(b"edition=" + third.encode()))  # this one waits
            await asyncio.sleep(0.1)
            may_open.set()
            await other
            async with asyncio.timeout(20):
                while answered[-1][0] != second:
                    await asyncio.sleep(0.02)
                    await ask(b"")
            assert answered[-1][1] not in closed

    asyncio.run(run())
    assert sorted(closed) == list(range(next(numbers)))


def test_an_edition_is_warmed_with_the_days_that_the_one_before_is_asked_about(
    home: EditionHome, built: tuple[Path, ...]
) -> None:
    seen: list[tuple[dt.date, ...]] = []
    asked = dt.date(2027, 5, 4)

    def opener(path: Path) -> Opened:
        return Opened(path.name, Starlette(), tuple, seen.append, lambda: None)

    first = open_edition(built[0])
    served = Served(first, lambda: NOW)
    served.warm_up((asked, dt.date(2031, 1, 1)))  # of that day the edition knows nothing
    assert asked in served.planner.days_asked()
    now = Opened(
        first.hash, Starlette(), served.planner.days_asked, lambda _: None, lambda: None, warm=True
    )
    switch = Switch(now, opener, home, Standing(), kept=2)

    async def run() -> None:
        async with switch.running():
            wanted = use(home, built[1])
            async with asyncio.timeout(20):
                while switch.open_hashes[-1] != wanted or not seen:
                    await asyncio.sleep(0.02)

    asyncio.run(run())
    assert seen == [served.planner.days_asked()]


def test_without_a_home_only_its_own_edition_can_be_named(sample_edition: Path) -> None:
    app = create_app(sample_edition, clock=lambda: NOW, limits=Limits(threads=2))
    own = open_edition(sample_edition).hash

    async def run() -> list[int]:
        transport = httpx2.ASGITransport(app=app)
        async with (
            app.router.lifespan_context(app),
            httpx2.AsyncClient(transport=transport, base_url="http://test") as client,
        ):
            names = (own, own[:12], own[::-1])
            asked = [await client.get(f"/api/v1/health?edition={name}") for name in names]
            return [answer.status_code for answer in asked]

    assert asyncio.run(run()) == [200, 200, 404]


def test_every_published_question_takes_an_edition_and_names_its_versions(
    home: EditionHome,
) -> None:
    async def run() -> dict[str, Any]:
        async with served(home) as caller:
            found: dict[str, Any] = (await caller.client.get("/api/v1/openapi.json")).json()
            return found

    document = asyncio.run(run())
    schemas = document["components"]["schemas"]
    for path, methods in document["paths"].items():
        if not path.startswith("/api/"):
            continue
        for operation in methods.values():
            assert "edition" in [parameter["name"] for parameter in operation["parameters"]]
            answers = operation["responses"]["200"]["content"]
            if "application/json" not in answers:  # GeoJSON names its versions in its own way
                continue
            answer = answers["application/json"]["schema"]
            named = schemas[answer["$ref"].rpartition("/")[2]]
            assert "versions" in named["required"], path

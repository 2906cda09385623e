"""Fetching: only from the open internet, within limits; whatever comes, the old version stays."""

from __future__ import annotations

import datetime as dt
import io
import shutil
import ssl
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mobility.core.errors import EnvironmentFault, FeedError
from mobility.feeds import FeedConfig, FeedStore, read_feed
from mobility.feeds.versions.activation import activate, active_path, rollback
from mobility.feeds.versions.addresses import is_allowed
from mobility.feeds.versions.download import Downloader, Limits, check_url, first_words
from mobility.feeds.versions.fetch import fetch_feed, take_file

from .versions_world import (
    Now,
    Reply,
    at_loopback,
    feed_files,
    feed_zip,
    make_certificate,
    served,
    zip_of,
)


@pytest.fixture
def server():
    with served() as running:
        yield running


@pytest.fixture
def now():
    return Now()


@pytest.fixture
def pauses():
    return []


@pytest.fixture
def downloader(pauses, now):
    limits = Limits(size_bytes=50_000, connect_s=5, read_s=5, total_s=20)
    return Downloader(
        private=True, limits=limits, resolve=at_loopback, sleep=pauses.append, clock=now
    )


@pytest.fixture
def fetch(server, downloader, now, tmp_path):
    """Return a function that fetches the feed and returns what came."""
    config = FeedConfig(id="north", url=f"{server.base}/gtfs.zip")
    store = FeedStore(tmp_path / "home", "strait", "north")

    def run():
        return fetch_feed(config, store, downloader, now.by())

    run.store, run.config = store, config
    return run


# --- addresses ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.9.9.9", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "100.64.0.1",
        "169.254.169.254", "169.254.0.7", "168.63.129.16", "192.0.0.192", "192.0.2.1", "198.18.0.1",
        "203.0.113.9", "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255", "::", "::1",
        "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "fec0::1", "ff02::1",
        "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "2002:7f00:1::", "2002:a00:1::", "2001:db8::1",
        "2001:0:7f00:1::", "100::1", "::7f00:1", "", "no address", "1.2.3", "0x7f.1",
    ],
)  # fmt: skip
def test_an_address_that_is_not_of_the_open_internet_is_refused(address):
    assert not is_allowed(address)


@pytest.mark.parametrize("address", ["93.184.215.14", "2606:2800:21f::1", "64:ff9b::5db8:d70e"])
def test_an_address_of_the_open_internet_is_allowed(address):
    assert is_allowed(address)


@pytest.mark.parametrize(
    "address",
    ["169.254.169.254", "fd00:ec2::254", "168.63.129.16", "224.0.0.1", "0.0.0.0", "fe80::1"],
)
def test_metadata_and_link_local_are_refused_in_closed_networks_too(address):
    assert not is_allowed(address, private=True)


@given(st.ip_addresses(v=4))
def test_an_address_written_inside_the_newer_protocol_is_judged_as_itself(address):
    allowed = is_allowed(str(address))
    assert is_allowed(f"::ffff:{address}") == allowed
    assert is_allowed(f"64:ff9b::{int(address) >> 16:x}:{int(address) & 0xFFFF:x}") == allowed
    assert not is_allowed(f"2002:{int(address) >> 16:x}:{int(address) & 0xFFFF:x}::1") or allowed


@pytest.mark.parametrize(
    ("url", "word"),
    [
        ("http://feeds.example/a.zip", "https"),
        ("file:///etc/passwd", "https"),
        ("ftp://feeds.example/a.zip", "https"),
        ("gopher://feeds.example/", "https"),
        ("//feeds.example/a.zip", "https"),
        ("https://", "host"),
        ("https://user:secret@feeds.example/a.zip", "password"),
        ("https://feeds.example:99999/a.zip", "no url"),
        ("https://feeds.example/ä.zip", "plain"),
        ("https://feeds.example/a\r\nX: y", "plain"),
    ],
)
def test_a_url_that_is_no_place_for_a_feed_is_refused(url, word):
    with pytest.raises(FeedError, match=word):
        check_url(url)


def test_a_password_in_a_url_is_not_repeated_in_the_message():
    with pytest.raises(FeedError) as caught:
        check_url("https://user:secret@feeds.example/a.zip")
    assert "secret" not in str(caught.value)


def test_a_name_that_leads_inside_is_refused_before_anything_is_sent(server, tmp_path):
    server.say(Reply(body=feed_zip()))
    for found in (["127.0.0.1"], ["93.184.215.14", "10.0.0.1"], ["::ffff:127.0.0.1"]):
        inward = Downloader(resolve=lambda host, port, found=found: found)
        with pytest.raises(FeedError, match="not of the open internet"):
            inward.download(f"https://feeds.example:{server.port}/a.zip", tmp_path / "a")
    assert server.requests == []


def test_the_connection_goes_to_the_address_that_was_judged(server, tmp_path):
    """The name is asked once per connection: a second answer could be another one."""
    server.say(Reply(body=feed_zip()))
    asked = []

    def once(host, port):
        asked.append(host)
        return ["127.0.0.1"]

    Downloader(private=True, resolve=once).download(f"{server.base}/a.zip", tmp_path / "a")
    assert asked == ["feeds.example"]
    assert server.requests[0][1]["Host"] == f"feeds.example:{server.port}"


def test_a_redirect_inside_is_refused(server, downloader, tmp_path):
    server.say(Reply(302, headers={"Location": "http://169.254.169.254/latest/meta-data"}))
    downloader._resolve = lambda host, port: [host if host[0] == "1" else "127.0.0.1"]
    with pytest.raises(FeedError, match=r"169\.254\.169\.254"):
        downloader.download(f"{server.base}/a.zip", tmp_path / "a")


def test_a_redirect_to_another_scheme_is_refused(server, downloader, tmp_path):
    server.say(Reply(302, headers={"Location": "file:///etc/passwd"}))
    with pytest.raises(FeedError, match="only https"):
        downloader.download(f"{server.base}/a.zip", tmp_path / "a")


def test_three_redirects_are_followed_and_a_fourth_is_not(server, downloader, tmp_path):
    hop = Reply(302, headers={"Location": "/next"})
    server.say(hop, hop, hop, Reply(body=b"PK"))
    assert downloader.download(f"{server.base}/a.zip", tmp_path / "a").url.endswith("/next")
    server.say(hop)
    with pytest.raises(FeedError, match="more than 3 redirects"):
        downloader.download(f"{server.base}/a.zip", tmp_path / "a")


# --- TLS ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    if shutil.which("openssl") is None:
        pytest.skip("no openssl to make a certificate with")
    return make_certificate(tmp_path_factory.mktemp("tls"), "feeds.example")


def test_the_certificate_must_be_the_name_s_though_the_connection_goes_to_an_address(
    certificate, tmp_path
):
    trusting = ssl.create_default_context(cafile=str(certificate[0]))
    downloader = Downloader(private=True, resolve=at_loopback, context=trusting)
    with served(certificate) as server:
        server.say(Reply(body=b"PK"))
        assert downloader.download(f"{server.base}/a.zip", tmp_path / "a").size_bytes == 2
        with pytest.raises(FeedError, match="certificate"):
            downloader.download(f"https://other.example:{server.port}/a.zip", tmp_path / "a")


def test_a_certificate_that_nobody_vouches_for_is_refused_at_once(certificate, tmp_path, pauses):
    downloader = Downloader(private=True, resolve=at_loopback, sleep=pauses.append)
    with served(certificate) as server:
        server.say(Reply(body=b"PK"))
        with pytest.raises(FeedError, match="certificate"):
            downloader.download(f"{server.base}/a.zip", tmp_path / "a")
    assert pauses == []


def test_a_server_that_stalls_is_cut_off_over_tls_too(certificate, tmp_path):
    trusting = ssl.create_default_context(cafile=str(certificate[0]))
    limits = Limits(total_s=0.5, read_s=20)
    downloader = Downloader(private=True, limits=limits, resolve=at_loopback, context=trusting)
    with served(certificate) as server:
        server.say(Reply(body=b"PK" * 100, stall=True))
        with pytest.raises(EnvironmentFault, match=r"not done within 0\.5 s"):
            downloader.download(f"{server.base}/a.zip", tmp_path / "a")


# --- limits and patience --------------------------------------------------------------------------


def test_too_large_a_file_is_cut_off_whatever_its_header_says(server, downloader, tmp_path):
    server.say(Reply(body=b"PK" + bytes(60_000)))
    with pytest.raises(FeedError, match="more than 50,000 bytes"):
        downloader.download(f"{server.base}/a.zip", tmp_path / "a")


def test_a_server_that_stalls_is_cut_off(server, now, tmp_path):
    server.say(Reply(body=b"PK" * 100, stall=True))
    limits = Limits(total_s=0.2, read_s=20)
    slow = Downloader(private=True, limits=limits, resolve=at_loopback, clock=now)
    with pytest.raises(EnvironmentFault, match=r"not done within 0\.2 s"):
        slow.download(f"{server.base}/a.zip", tmp_path / "a")


def test_a_busy_server_is_asked_again_with_longer_pauses(server, downloader, pauses, tmp_path):
    server.say(Reply(503), Reply(500), Reply(502), Reply(body=b"PK"))
    assert downloader.download(f"{server.base}/a.zip", tmp_path / "a").size_bytes == 2
    assert pauses == [2, 4, 8]


def test_after_all_attempts_the_fault_is_told(server, downloader, pauses, tmp_path):
    server.say(Reply(503))
    with pytest.raises(EnvironmentFault, match=r"503 Service Unavailable \(4 attempts\)"):
        downloader.download(f"{server.base}/a.zip", tmp_path / "a")
    assert pauses == [2, 4, 8]


@pytest.mark.parametrize(
    ("said", "waited"),
    [
        ("7", 7), ("86400", 120), ("Tue, 05 Jan 2027 09:30:30 GMT", 30), ("soon", 2),
        ("Tue, 05 Jan 2027 09:00:00 GMT", 0),
    ],
)  # fmt: skip
def test_a_server_may_say_when_to_come_again(server, downloader, pauses, tmp_path, said, waited):
    server.say(Reply(429, headers={"Retry-After": said}), Reply(body=b"PK"))
    downloader.download(f"{server.base}/a.zip", tmp_path / "a")
    assert pauses == [waited]


def test_half_a_file_is_asked_for_again(server, downloader, pauses, tmp_path):
    server.say(Reply(body=b"PK", headers={"Content-Length": "900"}), Reply(body=b"PK whole"))
    assert downloader.download(f"{server.base}/a.zip", tmp_path / "a").size_bytes == 8
    assert (tmp_path / "a").read_bytes() == b"PK whole"


def test_a_file_cut_short_each_time_is_told_with_its_bytes(server, downloader, pauses, tmp_path):
    server.say(Reply(body=b"PK", headers={"Content-Length": "900"}))
    with pytest.raises(EnvironmentFault) as caught:
        downloader.download(f"{server.base}/a.zip?key=secret", tmp_path / "a")
    told = f"{server.base}/a.zip: cut short after 2 of 900 bytes (4 attempts)"
    assert str(caught.value) == told


def test_a_header_that_promises_too_much_is_refused_at_once(server, downloader, pauses, tmp_path):
    server.say(Reply(body=b"PK", headers={"Content-Length": "60000"}))
    with pytest.raises(FeedError, match="more than 50,000 bytes, 60,000; refused"):
        downloader.download(f"{server.base}/a.zip", tmp_path / "a")
    assert pauses == [] and not (tmp_path / "a").exists()


def test_a_host_that_cannot_be_reached_is_tried_again_and_told(downloader, pauses, tmp_path):
    with served() as server:
        url = f"{server.base}/a.zip"
    with pytest.raises(EnvironmentFault, match="attempts"):
        downloader.download(url, tmp_path / "a")
    assert len(pauses) == 3


def test_a_name_that_cannot_be_resolved_is_asked_for_again(server, now, pauses, tmp_path):
    server.say(Reply(body=b"PK"))
    answers = [EnvironmentFault("feeds.example cannot be resolved"), ["127.0.0.1"]]

    def resolve(host, port):
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    downloader = Downloader(private=True, resolve=resolve, sleep=pauses.append, clock=now)
    assert downloader.download(f"{server.base}/a.zip", tmp_path / "a").size_bytes == 2
    assert pauses == [2]


def test_the_next_address_of_a_host_is_tried_where_one_does_not_answer(server, tmp_path):
    server.say(Reply(body=b"PK"))
    downloader = Downloader(private=True, resolve=lambda *_: ["127.0.0.2", "127.0.0.1"])
    assert downloader.download(f"{server.base}/a.zip", tmp_path / "a").size_bytes == 2


def test_a_server_that_says_no_for_good_is_not_asked_again(server, downloader, pauses, tmp_path):
    server.say(Reply(404))
    with pytest.raises(FeedError, match="404 Not Found"):
        downloader.download(f"{server.base}/a.zip", tmp_path / "a")
    assert pauses == []


def test_we_say_who_asks(server, downloader, tmp_path):
    server.say(Reply(body=b"PK"))
    downloader.download(f"{server.base}/a.zip?key=1", tmp_path / "a")
    path, headers = server.requests[0]
    assert path == "/a.zip?key=1"
    assert headers["User-Agent"].startswith("mobility/")


# --- what comes becomes a version -----------------------------------------------------------------


def test_the_first_version_is_kept_and_used(fetch, server, tmp_path):
    body = feed_zip()
    server.say(Reply(body=body, headers={"ETag": '"1"', "Last-Modified": "Mon, 04 Jan 2027"}))
    came = fetch()
    assert came.outcome == "activated"
    kept = fetch.store.active()
    assert kept == came.version
    assert fetch.store.zip_path(kept.id).read_bytes() == body
    assert (kept.size_bytes, kept.etag, kept.url) == (len(body), '"1"', fetch.config.url)
    assert kept.summary.days.on(dt.date(2027, 1, 6)) == 10
    assert active_path(tmp_path / "home", "strait", fetch.config) == fetch.store.zip_path(kept.id)


def test_what_has_not_changed_is_not_sent_again(fetch, server):
    server.say(Reply(body=feed_zip(), headers={"ETag": '"1"'}))
    fetch()
    again = fetch()
    assert again.outcome == "unchanged"
    assert server.requests[1][1]["If-None-Match"] == '"1"'
    assert len(fetch.store.versions()) == 1


def test_the_same_feed_packed_anew_is_no_new_version(fetch, server, now):
    server.say(Reply(body=feed_zip()))
    fetch()
    now.moment += dt.timedelta(days=1)
    told = "feed_publisher_name,feed_publisher_url,feed_lang\nN,http://n,de\n"
    server.say(
        Reply(body=zip_of(feed_files(), zipfile.ZIP_STORED)), Reply(body=feed_zip(feed_info=told))
    )
    assert fetch().outcome == "unchanged"
    assert fetch().outcome == "activated"
    assert len(fetch.store.versions()) == 2


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"<!DOCTYPE html><html><title>Sorry</title><p>Access denied</p>", "Sorry Access denied"),
        (b"\xef\xbb\xbf\n <HTML><head><script>x()</script></head>Please log in", "Please log in"),
        (b'{"error": "unknown key"}', "unknown key"),
        (b"\x1f\x8b\x08\x00\x00\x00", "no zip"),
        (b"PK\x03\x04 and no more", "truncated or damaged"),
    ],
)
def test_what_is_no_feed_is_refused_with_its_first_words_and_the_old_version_stays(
    fetch, server, body, words
):
    server.say(Reply(body=feed_zip()))
    fetch()
    before = fetch.store.active()
    server.say(Reply(body=body, headers={"ETag": '"page"'}))
    with pytest.raises(FeedError, match=words) as caught:
        fetch()
    assert "incoming" not in str(caught.value)
    assert fetch.store.active() == before
    assert fetch.store.fetch_state().failing_since == Now().moment
    assert fetch.store.fetch_state().etag == ""
    assert list((fetch.store.folder / "versions").glob(".incoming*")) == []


def test_failing_is_dated_from_the_first_failure_until_it_works_again(fetch, server, now):
    server.say(Reply(404))
    first = now.moment
    for _ in range(2):
        with pytest.raises(FeedError):
            fetch()
        assert fetch.store.fetch_state().failing_since == first
        now.moment += dt.timedelta(days=1)
    server.say(Reply(body=feed_zip()))
    fetch()
    assert fetch.store.fetch_state().failing_since is None
    assert fetch.store.fetch_state().error == ""


def test_a_version_that_the_guard_refuses_waits_and_is_judged_again(fetch, server, now):
    server.say(Reply(body=feed_zip(10)))
    fetch()
    server.say(Reply(body=feed_zip(5), headers={"ETag": '"5"'}))
    for _ in range(2):
        came = fetch()
        assert came.outcome == "waiting"
        assert "trips drop" in came.reasons[0]
    assert fetch.store.waiting() == came.version
    assert fetch.store.active() != came.version
    assert [one.action for one in fetch.store.history()] == ["activate", "refuse"]
    now.moment += dt.timedelta(days=83)  # the old version has ended: nothing is lost any more
    server.say(Reply(body=feed_zip(5, calendar=next_year()), headers={"ETag": '"6"'}))
    assert fetch().outcome == "activated"
    assert fetch.store.waiting() is None


def test_a_version_that_was_dismissed_does_not_wait_again(fetch, server, now):
    server.say(Reply(body=feed_zip(10)))
    fetch()
    server.say(Reply(body=feed_zip(5)))
    assert fetch().outcome == "waiting"
    activate(fetch.store, fetch.store.active(), now.by())
    assert fetch.store.waiting() is None
    assert fetch().outcome == "set aside"
    assert fetch.store.waiting() is None


def test_a_failure_names_the_feed_and_the_url_without_its_key(fetch, server, downloader, now):
    server.say(Reply(404))
    config = fetch.config.model_copy(update={"url": f"{fetch.config.url}?key=secret"})
    with pytest.raises(FeedError) as caught:
        fetch_feed(config, fetch.store, downloader, now.by())
    assert str(caught.value).startswith(f"north: {server.base}/gtfs.zip: the server answers 404")
    assert "secret" not in str(caught.value)


def test_a_url_may_name_the_feed_inside_a_bundle(fetch, server, now, tmp_path):
    bundle = io.BytesIO()
    with zipfile.ZipFile(bundle, "w") as archive:
        archive.writestr("south.zip", feed_zip(3))
        archive.writestr("inner/north.zip", feed_zip(10))
    server.say(Reply(body=bundle.getvalue()))
    config = fetch.config.model_copy(update={"url": f"{fetch.config.url}#inner/north.zip"})
    downloader = Downloader(private=True, resolve=at_loopback, clock=now)
    came = fetch_feed(config, fetch.store, downloader, now.by())
    assert came.version.summary.days.trips[0] == 10
    assert server.requests[0][0] == "/gtfs.zip"
    path = active_path(tmp_path / "home", "strait", config)
    assert read_feed(FeedConfig(id="north", path=path)).version == came.version.id


def next_year():
    return (
        "service_id,monday,tuesday,wednesday,thursday,friday,saturday,sunday,start_date,end_date\n"
        "WD,1,1,1,1,1,1,1,20270329,20270628\n"
    )


def test_a_version_that_was_rolled_back_does_not_come_back_by_itself(fetch, server, now):
    server.say(Reply(body=feed_zip(10)))
    fetch()
    old = fetch.store.active()
    server.say(Reply(body=feed_zip(12)))
    fetch()
    rollback(fetch.store, now.by("ben"))
    assert fetch().outcome == "set aside"
    assert fetch.store.active() == old
    server.say(Reply(body=feed_zip(13)))
    assert fetch().outcome == "activated"


def test_a_file_that_somebody_mailed_becomes_a_version(fetch, now, tmp_path):
    mailed = tmp_path / "mailed.zip"
    mailed.write_bytes(feed_zip())
    came = take_file(fetch.config, mailed, fetch.store, now.by())
    assert came.outcome == "activated"
    assert came.version.url == "mailed.zip"
    mailed.write_text("no zip at all")
    with pytest.raises(FeedError, match="no zip"):
        take_file(fetch.config, mailed, fetch.store, now.by())


@pytest.mark.parametrize("headers", [{}, {"ETag": '"1"'}])
def test_a_mailed_file_stays_in_use_until_the_url_offers_something_new(
    fetch, server, now, tmp_path, headers
):
    server.say(Reply(body=feed_zip(10), headers=headers))
    fetch()
    mailed = tmp_path / "mailed.zip"
    mailed.write_bytes(feed_zip(12))
    came = take_file(fetch.config, mailed, fetch.store, now.by())
    assert fetch().outcome == "set aside"
    assert fetch.store.active() == came.version
    server.say(Reply(body=feed_zip(13)))
    assert fetch().outcome == "activated"


def test_two_cannot_fetch_one_feed_at_once(fetch, server):
    server.say(Reply(body=feed_zip()))
    with fetch.store.lock(), pytest.raises(EnvironmentFault, match="another process"):
        fetch()


def test_the_words_of_a_page_are_shown_without_its_markup():
    head = b"<!-- x --><style>p{}</style><h1>Not\n\n found</h1>" + b"<p>more words</p>" * 50
    assert first_words(head).startswith("Not found more words")
    assert len(first_words(head)) <= 81

"""File transfers against real servers on loopback."""

import asyncio
import gzip
import hashlib
import logging
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cp_image.core.effects import Download, Upload
from cp_image.core.events import TransferEnded
from cp_image.core.firmware_image import FirmwareImage
from cp_image.core.transfer_faults import TransferFault
from cp_image.shell import transfers
from cp_image.shell.recent_log import RecentLog
from cp_image.shell.transfer_line import Terms
from cp_image.shell.transfer_tasks import TransferTasks
from tests.support.file_servers import (
    Authority,
    HttpFiles,
    authority,
    connect_proxy,
    ftp_files,
    http_files,
)
from tests.support.hand_clock import HandClock
from tests.unit.shell.peers import PATIENCE_S, run

NAME = "CP-1.txt.gz"
CONTENT = b"firmware-version: 2.0.1\n" + bytes(range(256)) * 1000
IMAGE = FirmwareImage(
    file_name="fw.bin",
    size_bytes=len(CONTENT),
    sha256=hashlib.sha256(CONTENT).hexdigest(),
    first_line="firmware-version: 2.0.1",
)


@pytest.fixture
def http() -> Iterator[HttpFiles]:
    with http_files() as files:
        files.files["/fw.bin"] = CONTENT
        yield files


@pytest.fixture(scope="module")
def ca(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture
def ftp_root(tmp_path: Path) -> Path:
    (tmp_path / "out").mkdir()
    (tmp_path / "fw.bin").write_bytes(CONTENT)
    return tmp_path


def terms(**changes: Any) -> Terms:
    return Terms(**({"connect_s": 5.0, "stall_s": 5.0, "total_s": 15.0} | changes))


def download(location: str, **changes: Any) -> TransferEnded:
    return asyncio.run(transfers.download(Download(number=1, location=location), terms(**changes)))


def upload(location: str, **changes: Any) -> TransferEnded:
    effect = Upload(number=2, location=location, file_name=NAME, report="[charge point]\nid = CP-1")
    return asyncio.run(transfers.upload(effect, terms(**changes), ["a line", "ünd"]))


def check_uploaded(content: bytes) -> None:
    text = gzip.decompress(content).decode()
    assert text == "[charge point]\nid = CP-1\n[log]\na line\nünd\n"


def failed(
    reason: str, number: int = 1, fault: TransferFault | None = None, *, hopeless: bool = False
) -> TransferEnded:
    return TransferEnded(number=number, ok=False, reason=reason, fault=fault, hopeless=hopeless)


# -- HTTP -----------------------------------------------------------------------------------------


def test_http_download(http: HttpFiles) -> None:
    assert download(f"{http.url}/fw.bin") == TransferEnded(number=1, ok=True, image=IMAGE)
    assert http.seen[0].headers["User-Agent"] == "cp-simu"
    assert "Authorization" not in http.seen[0].headers


def test_credentials_in_the_url_and_a_path_with_anything_in_it(http: HttpFiles) -> None:
    http.files["/a%20b%C3%BC/fw.bin?v=1"] = b"x"
    location = http.url.replace("://", "://us%40er:p%3Ass@") + "/a%20bü/fw.bin?v=1"
    ended = download(location)
    assert ended.image is not None
    assert (ended.image.file_name, ended.image.size_bytes) == ("fw.bin", 1)
    assert http.seen[0].headers["Authorization"] == "Basic dXNAZXI6cDpzcw=="


def test_an_empty_file_is_a_file(http: HttpFiles) -> None:
    http.files["/empty-1.0.bin"] = b""
    ended = download(f"{http.url}/empty-1.0.bin")
    assert ended.ok
    assert ended.image is not None
    assert ended.image.version is None


def test_a_status_that_is_no_success(http: HttpFiles) -> None:
    http.statuses["GET", "/fw.bin"] = 503
    assert download(f"{http.url}/fw.bin") == failed("HTTP 503 Service Unavailable")
    assert download(f"{http.url}/none") == failed("HTTP 404 Not Found")


def test_a_file_that_is_cut_short(http: HttpFiles) -> None:
    http.cut_short.add("/fw.bin")
    size = len(CONTENT)
    assert download(f"{http.url}/fw.bin") == failed(
        f"the connection ended after {size // 2} of {size} bytes"
    )


def test_a_file_that_is_too_large(http: HttpFiles) -> None:
    ended = download(f"{http.url}/fw.bin", max_bytes=1000)
    assert ended == failed(f"the file has {len(CONTENT)} bytes, at most 1000 are taken")


def test_a_server_that_falls_silent(http: HttpFiles) -> None:
    http.stalls.add("/fw.bin")
    assert download(f"{http.url}/fw.bin", stall_s=0.05) == failed("no answer in time")
    assert download(f"{http.url}/fw.bin", total_s=0.05) == failed("no answer in time")


def test_nobody_is_there() -> None:
    assert download("http://127.0.0.1:1/fw.bin") == failed("connection refused")
    assert download("ftp://127.0.0.1:1/fw.bin") == failed("connection refused")


@pytest.mark.parametrize(
    ("location", "reason"),
    [
        ("", "the location is no URL: it has no scheme"),
        ("fw.bin", "the location is no URL: it has no scheme"),
        ("sftp://host/fw", "the location begins with 'sftp', spoken are ftp, ftps, http, https"),
        (
            "file:///etc/passwd",
            "the location begins with 'file', spoken are ftp, ftps, http, https",
        ),
        ("http:///fw.bin", "the location names no host"),
        (
            "http://host:x/",
            "the location is no URL: Port could not be cast to integer value as 'x'",
        ),
        ("http://host/a b", "the location is no URL: it holds blanks or control characters"),
        ("http://host/a\r\nX: y", "the location is no URL: it holds blanks or control characters"),
        ("ftp://host:990/", "implicit FTPS (port 990) is not spoken, explicit FTPS is"),
    ],
)
def test_a_location_that_is_none(location: str, reason: str) -> None:
    unspoken = "spoken" in reason
    fault = TransferFault.NOT_SUPPORTED if unspoken else TransferFault.BAD_MESSAGE
    assert download(location) == failed(reason, fault=fault, hopeless=True)
    assert upload(location) == failed(reason, 2, fault, hopeless=True)


def test_a_path_that_ftp_cannot_say(ftp_root: Path) -> None:
    with ftp_files(ftp_root) as port:
        ended = download(f"ftp://user:pass@localhost:{port}/a%0D%0ADELE fw.bin".replace(" ", "%20"))
    assert not ended.ok
    assert "newline" in ended.reason


def test_a_redirect_is_followed_without_the_password_to_another_server(http: HttpFiles) -> None:
    with http_files() as other:
        other.files["/real.bin"] = CONTENT
        http.redirects["/fw.bin"] = "/again"
        http.redirects["/again"] = f"{other.url}/real.bin"
        assert download(http.url.replace("://", "://u:p@") + "/fw.bin").ok
        assert ["Authorization" in seen.headers for seen in (*http.seen, *other.seen)] == [
            True,
            True,
            False,
        ]


def test_redirects_that_lead_nowhere(http: HttpFiles) -> None:
    http.redirects["/fw.bin"] = "/fw.bin"
    assert download(f"{http.url}/fw.bin") == failed("more than 5 redirects")
    http.redirects["/fw.bin"] = "ftp://localhost/fw.bin"
    assert download(f"{http.url}/fw.bin") == failed("redirected to ftp")
    http.redirects["/fw.bin"] = "sftp://localhost/fw.bin"
    ended = download(f"{http.url}/fw.bin")
    assert ended.reason.startswith("redirected: the location begins with 'sftp', ")
    assert not ended.hopeless


def test_http_upload_puts_into_the_directory(http: HttpFiles) -> None:
    assert upload(f"{http.url}/in/").ok
    assert upload(f"{http.url}/out?token=1").ok
    assert [(seen.method, seen.path) for seen in http.seen] == [
        ("PUT", f"/in/{NAME}"),
        ("PUT", f"/out/{NAME}?token=1"),
    ]
    check_uploaded(http.files[f"/in/{NAME}"])


@pytest.mark.parametrize("status", [404, 405, 501])
def test_http_upload_posts_where_put_is_not_taken(http: HttpFiles, status: int) -> None:
    http.statuses["PUT", f"/in/{NAME}"] = status
    assert upload(f"{http.url}/in").ok
    assert (http.seen[1].method, http.seen[1].path) == ("POST", "/in")
    assert http.seen[1].headers["Content-Disposition"] == f'attachment; filename="{NAME}"'
    check_uploaded(http.seen[1].body)


@pytest.mark.parametrize(
    ("status", "words", "fault"),
    [
        (400, "HTTP 400 Bad Request", TransferFault.BAD_MESSAGE),
        (401, "HTTP 401 Unauthorized", TransferFault.DENIED),
        (403, "HTTP 403 Forbidden", TransferFault.DENIED),
        (507, "HTTP 507 Insufficient Storage", None),
    ],
)
def test_http_upload_that_is_refused(
    http: HttpFiles, status: int, words: str, fault: TransferFault | None
) -> None:
    http.statuses["PUT", f"/in/{NAME}"] = status
    assert upload(f"{http.url}/in") == failed(words, 2, fault)


@pytest.mark.parametrize(("status", "words"), [(405, "Method Not Allowed"), (501, "")])
def test_http_upload_where_nothing_is_taken(http: HttpFiles, status: int, words: str) -> None:
    http.statuses["PUT", f"/in/{NAME}"] = http.statuses["POST", "/in"] = status
    ended = upload(f"{http.url}/in")
    assert ended.reason.startswith(f"HTTP {status} {words}")
    assert ended.fault is TransferFault.NOT_SUPPORTED


def test_https(ca: Authority) -> None:
    with http_files(ca.server) as files:
        files.files["/fw.bin"] = CONTENT
        assert download(f"{files.url}/fw.bin", make_tls=lambda: ca.client).image == IMAGE
        assert upload(f"{files.url}/in", make_tls=lambda: ca.client).ok
        ended = download(f"{files.url}/fw.bin")
        assert not ended.ok
        assert ended.reason.startswith("TLS: the certificate does not verify: ")
        files.redirects["/fw.bin"] = "http://localhost/fw.bin"
        ended = download(f"{files.url}/fw.bin", make_tls=lambda: ca.client)
        assert ended == failed("redirected from https to http")


def test_what_is_on_loopback_goes_through_the_proxy(http: HttpFiles, ca: Authority) -> None:
    with connect_proxy() as asked, http_files(ca.server) as secure:
        secure.files["/fw.bin"] = CONTENT
        proxy = asked[0]
        assert download(f"{http.url}/fw.bin", proxy=proxy).image == IMAGE
        assert upload(f"{http.url}/in", proxy=proxy).ok
        ended = download(f"{secure.url}/fw.bin", proxy=proxy, make_tls=lambda: ca.client)
        assert ended.image == IMAGE
        hosts = [f"localhost:{http.port}", f"localhost:{http.port}", f"localhost:{secure.port}"]
        assert asked[1:] == hosts


def test_ftp_does_not_go_through_the_proxy() -> None:
    ended = download("ftp://localhost/fw.bin", proxy="http://127.0.0.1:1")
    reason = "FTP does not reach this machine's own loopback: use HTTP"
    assert ended == failed(reason, hopeless=True)


@pytest.mark.parametrize("host", ["localhost", "a.localhost", "127.8.9.1", "[::1]", "0.0.0.0"])
def test_what_counts_as_loopback(host: str) -> None:
    ended = download(f"http://{host}/fw.bin", proxy="https://127.0.0.1:1")
    assert ended == failed("the proxy must be an http:// one, it is https://")


# -- FTP ------------------------------------------------------------------------------------------


def test_ftp(ftp_root: Path) -> None:
    with ftp_files(ftp_root) as port:
        assert download(f"ftp://localhost:{port}/fw.bin").image == IMAGE
        assert upload(f"ftp://user:pass@localhost:{port}/out").ok
        check_uploaded((ftp_root / "out" / NAME).read_bytes())
        assert upload(f"ftp://user:pass@localhost:{port}").ok
        check_uploaded((ftp_root / NAME).read_bytes())


def test_ftp_that_is_refused(ftp_root: Path) -> None:
    with ftp_files(ftp_root) as port:
        ended = download(f"ftp://localhost:{port}/none.bin")
        assert not ended.ok
        assert ended.reason.startswith("550 ")
        ended = download(f"ftp://user:wrong@localhost:{port}/fw.bin")
        assert ended == failed("530 Authentication failed.", fault=TransferFault.DENIED)
        ended = upload(f"ftp://localhost:{port}/out")  # whoever is anonymous may not write
        assert not ended.ok
        assert ended.reason.startswith("550 ")
        assert ended.fault is TransferFault.DENIED
        ended = upload(f"ftp://user:pass@localhost:{port}/none")
        assert ended.reason.startswith("550 ")
        assert ended.fault is None


def test_ftp_file_that_is_too_large(ftp_root: Path) -> None:
    with ftp_files(ftp_root) as port:
        ended = download(f"ftp://localhost:{port}/fw.bin", max_bytes=1000)
    assert ended == failed("the file has more than the 1000 bytes that are taken")


def test_ftps(ftp_root: Path, ca: Authority) -> None:
    with ftp_files(ftp_root, (ca.certificate, ca.key)) as port:
        base = f"localhost:{port}"
        assert download(f"ftps://{base}/fw.bin", make_tls=lambda: ca.client).image == IMAGE
        assert upload(f"ftps://user:pass@{base}/out", make_tls=lambda: ca.client).ok
        check_uploaded((ftp_root / "out" / NAME).read_bytes())
        ended = download(f"ftps://{base}/fw.bin")
        assert ended.reason.startswith("TLS: the certificate does not verify: ")
        ended = download(f"ftp://user:pass@{base}/fw.bin")
        assert ended.reason.startswith("550 SSL/TLS required")


# -- tasks ----------------------------------------------------------------------------------------


def test_tasks_tell_the_end_and_are_cancelled(http: HttpFiles) -> None:
    async def scenario() -> None:
        ends: asyncio.Queue[Any] = asyncio.Queue()
        asked: list[tuple[float | None, float | None]] = []

        def log_lines(begins_at: float | None, ends_at: float | None) -> list[str]:
            asked.append((begins_at, ends_at))
            return ["a line"]

        tasks = TransferTasks(on_event=ends.put_nowait, log_lines=log_lines)
        async with asyncio.TaskGroup() as group:
            tasks.open(group)
            tasks.start(Download(number=1, location=f"{http.url}/fw.bin"))
            assert await ends.get() == TransferEnded(number=1, ok=True, image=IMAGE)
            tasks.start(
                Upload(
                    number=2,
                    location=f"{http.url}/in",
                    file_name=NAME,
                    report="",
                    log_from=1.0,
                    log_to=2.0,
                )
            )
            assert await ends.get() == TransferEnded(number=2, ok=True)
            assert asked == [(1.0, 2.0)]

            http.stalls |= {"/fw.bin", "/other.bin"}
            http.arrived.clear()
            tasks.start(Download(number=3, location=f"{http.url}/fw.bin"))
            await asyncio.to_thread(http.arrived.wait, PATIENCE_S)
            working = [t for t in threading.enumerate() if t.name == "transfer"]
            tasks.cancel(3)
            tasks.cancel(99)
            # The thread ends now, not when its patience does.
            for thread in working:
                await asyncio.to_thread(thread.join, 2.0)
            assert not any(thread.is_alive() for thread in working)
            tasks.start(Download(number=4, location=f"{http.url}/other.bin"))
            tasks.cancel_all()
        assert ends.empty()

    run(scenario())


def test_the_log_hides_the_password(http: HttpFiles, caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        ends: asyncio.Queue[Any] = asyncio.Queue()
        tasks = TransferTasks(on_event=ends.put_nowait, log_lines=lambda *_times: [])
        async with asyncio.TaskGroup() as group:
            tasks.open(group)
            location = http.url.replace("://", "://user:secret@")
            tasks.start(Download(number=1, location=f"{location}/fw.bin"))
            await ends.get()

    with caplog.at_level(logging.INFO):
        run(scenario())
    assert "user:***@" in caplog.text
    assert "secret" not in caplog.text


# -- the log --------------------------------------------------------------------------------------


def test_the_recent_log_keeps_the_newest_lines_by_time() -> None:
    clock = HandClock(1_700_000_000.0)
    recent = RecentLog(clock)
    log = logging.Logger("station")
    log.addHandler(recent)
    log.debug("a frame with a password")
    for number in range(501):
        clock.at += 1
        log.info("line %d", number)
    log.warning("two\nlines %s", "x" * 1000)
    every = recent.lines(None, None)
    assert len(every) == 500
    assert every[0] == "2023-11-14T22:13:22.000+00:00 INFO station: line 2".replace(":22.", ":23.")
    assert "two | lines xxx" in every[-1]
    assert len(every[-1]) < 600
    assert [line.rpartition(" ")[2] for line in recent.lines(clock.at - 2, clock.at - 1)] == [
        "498",
        "499",
    ]


def test_an_idle_charge_point_does_without_what_transfers_need() -> None:
    code = "import sys, cp_image.shell.charge_point; print('ftplib' in sys.modules)"
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert found.stdout.split() == ["False"]


def test_terms_verify_certificates() -> None:
    context = Terms().make_tls()
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname

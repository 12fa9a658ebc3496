"""The server under attack: refused or served, never hung; and it ends with the terminal, having written nothing."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path
from time import monotonic

import pytest

from handgrad.cli.main import status
from handgrad.errors import MissingExtraError, OutputError
from handgrad.live.walk import serving as serving_module
from handgrad.live.walk.app import Walking, pages
from handgrad.live.walk.serving import Serving

VIEWS = (
    "",
    "state",
    "words",
    "step?step=3",
    "batch?step=3",
    "epoch?step=3",
    "sheet?step=3",
    "why?step=3&row=4",
)


def token(serving: Serving) -> str:
    return serving.address.split("/")[3]


def ask(
    serving: Serving, path: str, headers: dict[str, str] | None = None, method: str = "GET"
) -> tuple[int, dict[str, str], bytes]:
    """One request, exactly as written."""
    with contextlib.closing(HTTPConnection("127.0.0.1", serving.port, timeout=20)) as connection:
        connection.putrequest(method, path, skip_host="Host" in (headers or {}), skip_accept_encoding=True)
        for name, value in (headers or {}).items():
            connection.putheader(name, value)
        connection.endheaders()
        answer = connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()


@pytest.mark.parametrize("view", VIEWS)
def test_who_knows_the_address_is_served_under_a_strict_policy(serving: Serving, view: str) -> None:
    status, headers, body = ask(serving, f"/{token(serving)}/{view}")
    assert status == 200
    assert body
    policy = headers["content-security-policy"]
    assert policy.startswith("default-src 'none'")
    assert "unsafe-eval" not in policy
    assert "script-src 'unsafe-inline'" not in policy
    assert "frame-ancestors 'self'" in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert "access-control-allow-origin" not in headers
    assert "set-cookie" not in headers


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("wrong", ["", "x", "{short}", "{token}x", "{upper}", "%2e%2e"])
def test_a_wrong_token_is_refused(serving: Serving, view: str, wrong: str) -> None:
    right = token(serving)
    name = wrong.format(short=right[:-1], token=right, upper=right.swapcase())
    status, headers, body = ask(serving, f"/{name}/{view}")
    assert status == 403
    assert right.encode() not in body
    assert headers["content-security-policy"].startswith("default-src 'none'")


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1", "127.0.0.1:1", "localhost.evil.example:{port}", "[::1]:{port}", ""]
)
def test_a_wrong_host_is_refused(serving: Serving, host: str) -> None:
    status, _, _ = ask(serving, f"/{token(serving)}/state", {"Host": host.format(port=serving.port)})
    assert status in (400, 403)


def test_the_machine_may_be_called_localhost(serving: Serving) -> None:
    assert ask(serving, f"/{token(serving)}/state", {"Host": f"localhost:{serving.port}"})[0] == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "https://127.0.0.1:{port}"},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_another_site_is_refused(serving: Serving, headers: dict[str, str]) -> None:
    given = {name: value.format(port=serving.port) for name, value in headers.items()}
    assert ask(serving, f"/{token(serving)}/state", given)[0] == 403
    own = {"Origin": f"http://127.0.0.1:{serving.port}", "Sec-Fetch-Site": "same-origin"}
    assert ask(serving, f"/{token(serving)}/state", own)[0] == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "CONNECT", "NONSENSE"])
def test_only_reading_is_allowed(serving: Serving, method: str) -> None:
    assert ask(serving, f"/{token(serving)}/state", method=method)[0] == 405


@pytest.mark.parametrize(
    "path",
    [
        "../../../../etc/passwd",
        "js/../../../../etc/passwd",
        "js/%2e%2e/%2e%2e/app.py",
        "js/..%2f..%2fpage.py",
        "walk/js/....//walk.js",
        "walk/js/walk.js%00.html",
        "js/",
        "app.py",
        "page.html",
        "//etc/passwd",
        "file:///etc/passwd",
        "http://evil.example/",
        "state/",
        "js\\..\\..\\page.py",
    ],
)
def test_no_file_can_be_named_but_those_of_the_page(serving: Serving, path: str) -> None:
    status, headers, body = ask(serving, f"/{token(serving)}/{path}")
    assert status in (400, 403, 404)
    assert b"root:" not in body
    assert b"import" not in body
    assert status == 400 or headers["content-security-policy"]


@pytest.mark.parametrize(
    "query",
    [
        "step",
        "step?step=",
        "step?step=0",
        "step?step=-1",
        "step?step=1e3",
        "step?step=999999999999999",
        "step?step=99999999999999999999999999",
        "step?step=3&model=7",
        "step?step=3&minus=0",
        "step?step=3&minus=0,0",
        "part?step=3&name=W1",
        "part?step=3&name=W1&region=0:9,0:99999",
        "part?step=3&name=../W1&region=0:1,0:1",
        "batch?step=3&first=-1",
        "why?step=3&row=4000000",
        "sheet?step=3&focus=" + "W" * 1500,
        "sheet?step=3&language=../../etc",
        "sheet?step=3&detail=everything",
        "sheet?step=3&layer_notation=x",
    ],
)
def test_rubbish_is_told_in_one_line(serving: Serving, query: str) -> None:
    status, _, body = ask(serving, f"/{token(serving)}/{query}")
    assert status == 422
    told = json.loads(body)["error"]
    assert "\n" not in told
    assert "Traceback" not in told


def test_an_endless_address_is_refused(serving: Serving) -> None:
    assert ask(serving, f"/{token(serving)}/step?step=3&x={'y' * 3000}")[0] == 414
    with contextlib.suppress(ConnectionError):  # hung up in the middle of it
        assert ask(serving, f"/{token(serving)}/step?step=3&x={'y' * 200_000}")[0] in (400, 414)


def test_every_page_is_served_and_names_no_other_site(serving: Serving) -> None:
    for path, (kind, content) in pages().items():
        status, headers, body = ask(serving, f"/{token(serving)}{path}")
        assert (status, headers["content-type"], body) == (200, kind, content)
        outside = set(re.findall(rb"https?://[^\s\"'`)<]+", content))
        assert outside <= {b"http://www.w3.org/2000/svg", b"http://www.w3.org/1998/Math/MathML"}, path


def test_a_head_has_no_body(serving: Serving) -> None:
    status, headers, body = ask(serving, f"/{token(serving)}/state", method="HEAD")
    assert (status, body) == (200, b"")
    assert int(headers["content-length"]) > 0


async def _many(serving: Serving, paths: list[str]) -> Counter[int]:
    """Every path on a connection of its own, all opened at once."""

    async def one(path: str) -> int:
        reader, writer = await asyncio.open_connection("127.0.0.1", serving.port)
        writer.write(
            f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{serving.port}\r\nConnection: close\r\n\r\n".encode()
        )
        answer = await reader.read()
        writer.close()
        return int(answer.split(b" ", 2)[1]) if answer else 0

    return Counter(await asyncio.wait_for(asyncio.gather(*map(one, paths)), 50))


def test_a_thousand_requests_at_once_are_all_answered(serving: Serving) -> None:
    right = token(serving)
    kinds = ("state", "step?step={}", "batch?step={}", "walk/js/walk.js", "epoch?step={}")
    last = 24
    paths = [f"/{right}/{kinds[k % 5].format(k // 5 % last + 1)}" for k in range(1000)]
    with ThreadPoolExecutor(1) as pool:  # where no loop of the browser's driver runs
        found = pool.submit(lambda: asyncio.run(_many(serving, paths))).result()
    assert set(found) <= {200, 503}
    assert sum(found.values()) == 1000
    assert found[200] >= 400
    assert ask(serving, f"/{right}/step?step=2")[0] == 200


def test_a_browser_that_closes_does_not_stop_the_others(serving: Serving) -> None:
    for path in ("state", "sheet?step=9&detail=scalar", "step?step=10"):
        for head in (
            "GET",
            f"GET /{token(serving)}/{path} HTTP/1.1\r\nHost: 127.0.0.1:{serving.port}\r\n\r\n",
        ):
            with socket.create_connection(("127.0.0.1", serving.port)) as connection:
                connection.sendall(head.encode())  # and gone
    assert ask(serving, f"/{token(serving)}/step?step=11")[0] == 200


def test_a_connection_that_says_nothing_holds_up_nobody(serving: Serving) -> None:
    silent = [socket.create_connection(("127.0.0.1", serving.port)) for _ in range(50)]
    began = monotonic()
    assert ask(serving, f"/{token(serving)}/step?step=12")[0] == 200
    assert monotonic() - began < 10
    for connection in silent:
        connection.close()


def test_it_listens_on_the_loopback_interface_only(serving: Serving) -> None:
    assert serving._listening.getsockname()[0] == "127.0.0.1"


def test_a_taken_port_is_told(serving: Serving, walking: Walking) -> None:
    with pytest.raises(OutputError, match="--port"):
        Serving(walking, serving.port)


def test_leaving_ends_the_threads_although_somebody_waits(walking: Walking) -> None:
    with Serving(walking) as other:
        held = socket.create_connection(("127.0.0.1", other.port))
        held.sendall(b"GET / HTTP/1.1\r\n")
        began = monotonic()
    assert monotonic() - began < 5
    assert not other._thread.is_alive()
    held.close()


def test_without_the_extra_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    with pytest.raises(MissingExtraError, match=r"handgrad\[open\]"):
        serving_module.check_installed()


WATCHED = """
import os, sys
def hook(event, found):
    if event == "open" and isinstance(found[1], str) and set(found[1]) & set("wax+") and found[0] != os.devnull:
        sys.stderr.write(f"wrote {found[0]}\\n")
    elif event in ("os.mkdir", "os.rename", "os.remove", "os.rmdir", "shutil.move"):
        sys.stderr.write(f"{event} {found}\\n")
sys.dont_write_bytecode = True
from handgrad.cli import main
import starlette.routing, uvicorn
sys.addaudithook(hook)
main.run(sys.argv[1:])
"""


@pytest.mark.skipif(os.name == "nt", reason="signals as POSIX has them")
@pytest.mark.parametrize(
    ("number", "ended"),
    [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)],
    ids=str,
)
def test_it_ends_with_the_terminal_and_has_written_nothing(
    models: list[Path], number: int, ended: int
) -> None:
    program = subprocess.Popen(
        [sys.executable, "-c", WATCHED, "open", str(models[0]), "--no-browser", "--step", "5"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert program.stdout is not None
    try:
        address = program.stdout.readline().strip()
        found = re.fullmatch(r"http://127\.0\.0\.1:(\d+)/([\w-]{32})/#step=5", address)
        assert found, address
        with contextlib.closing(HTTPConnection("127.0.0.1", int(found[1]), timeout=20)) as connection:
            for view in VIEWS:
                connection.request("GET", f"/{found[2]}/{view}")
                answer = connection.getresponse()
                assert (answer.status, bool(answer.read())) == (200, True)
            program.send_signal(number)  # while a browser is connected
            _, complaints = program.communicate(timeout=15)
    finally:
        program.kill()
    assert program.returncode == ended
    assert "wrote" not in complaints
    assert "os." not in complaints
    assert complaints.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["nothing.safetensors"], "nothing.safetensors"),
        (["{model}", "--step", "0"], "steps 1 to"),
        (["{model}", "--data", "{model}"], ""),
        (["{model}", "{model}", "--data", "x.csv"], "once for each model"),
        (["{model}", "--language", "xx"], "language"),
        (["{model}", "--port", "70000"], "65535"),
    ],
)
def test_a_wrong_call_is_told_before_anything_is_served(
    models: list[Path], arguments: list[str], told: str
) -> None:
    said = io.StringIO()
    with contextlib.redirect_stderr(said):
        given = [argument.format(model=models[0]) for argument in arguments]
        assert status(["open", *given, "--no-browser"]) == 2
    assert told in said.getvalue()
    assert said.getvalue().count("\n") == 1
    assert threading.active_count() < 50

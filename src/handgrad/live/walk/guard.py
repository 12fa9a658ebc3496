"""Who may ask: only a page that knows the token, under the server's own address, and only to read."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, NamedTuple, TypeAlias

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
App: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]

LONGEST_ADDRESS = 2_000

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; font-src 'self' data:; "
    "frame-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)
"""The content security policy of every answer that does not bring a stricter one of its own."""

HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"x-frame-options", b"SAMEORIGIN"),
    (b"cache-control", b"no-store"),
)


class Refusal(NamedTuple):
    """Why a request is not served."""

    status: int
    why: str


class Guard:
    """An application behind which nothing is served to who does not know the token, or comes from elsewhere.

    The address is http://HOST:PORT/TOKEN/...; the host must be the loopback interface by name or number, so that no
    name of another site can be pointed at it (DNS rebinding); a request that another site made says so in Origin or
    Sec-Fetch-Site.
    """

    def __init__(self, app: App, token: str, port: int) -> None:
        self._app, self._token = app, token
        self._hosts = tuple(f"{name}:{port}".encode() for name in ("127.0.0.1", "localhost"))
        self._origins = tuple(b"http://" + host for host in self._hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return  # there are no websockets, and nothing is to be done at the start
        refused = self._refusal(scope)
        if refused is not None:
            await _refuse(refused, send)
            return
        inner = dict(scope)
        inner["path"] = scope["path"][len(self._token) + 1 :]

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = _completed(message["headers"])
            await send(message)

        await self._app(inner, receive, with_headers)

    def _refusal(self, scope: Scope) -> Refusal | None:
        """Why a request is not served, None where it is."""
        allowed = {
            b"host": self._hosts,
            b"origin": self._origins,
            b"sec-fetch-site": (b"none", b"same-origin"),
        }
        headers = [(name, value.lower()) for name, value in scope["headers"] if name in allowed]
        if [name for name, _ in headers].count(b"host") != 1:
            return Refusal(403, "a request names one host")
        if any(value not in allowed[name] for name, value in headers):
            return Refusal(403, "this address is served to pages of its own only")
        given = str(scope["path"]).split("/", 2)[1] if scope["path"].count("/") > 1 else ""
        if not secrets.compare_digest(given.encode(), self._token.encode()):
            return Refusal(403, "the address is wrong; take the one that the terminal shows")
        if scope["method"] not in ("GET", "HEAD"):
            return Refusal(405, "nothing can be changed here")
        if len(scope["raw_path"]) + len(scope["query_string"]) > LONGEST_ADDRESS:
            return Refusal(414, "the address is too long")
        return None


def _completed(headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    own = {name for name, _ in headers}
    policy = [] if b"content-security-policy" in own else [(b"content-security-policy", POLICY.encode())]
    return [*headers, *(pair for pair in HEADERS if pair[0] not in own), *policy]


async def _refuse(refusal: Refusal, send: Send) -> None:
    body = f"{refusal.why}\n".encode()
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", str(len(body)).encode()),
        *([(b"allow", b"GET, HEAD")] if refusal.status == 405 else []),
    ]
    await send({"type": "http.response.start", "status": refusal.status, "headers": _completed(headers)})
    await send({"type": "http.response.body", "body": body})

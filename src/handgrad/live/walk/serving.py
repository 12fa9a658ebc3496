"""The server of the browser of a training: on the loopback interface, in a thread, until the terminal ends it."""

from __future__ import annotations

import secrets
import socket
import threading
import webbrowser
from time import monotonic, sleep
from types import TracebackType
from typing import Any

from handgrad.errors import MissingExtraError, OutputError
from handgrad.live.walk.app import Walking, application

LOOPBACK = "127.0.0.1"
PATIENCE = 2.0  # seconds that open requests have, once it is to end


def check_installed() -> None:
    """Raises MissingExtraError where Starlette or uvicorn is not installed."""
    try:
        import starlette
        import uvicorn
    except ImportError as error:
        raise MissingExtraError("the browser of a training", "open") from error
    assert starlette and uvicorn


class Serving:
    """Serves while it is entered; `address` carries the token, without which nothing is answered.

    Raises MissingExtraError without Starlette and uvicorn, OutputError for a port that is taken.
    """

    def __init__(self, walking: Walking, port: int = 0) -> None:
        check_installed()
        self._listening = _listening(port)
        self.port = int(self._listening.getsockname()[1])
        token = secrets.token_urlsafe(24)
        self.address = f"http://{LOOPBACK}:{self.port}/{token}/"
        self._server = _server(application(walking, token, self.port))
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._listening]}, name="handgrad open", daemon=True
        )

    def __enter__(self) -> Serving:
        self._thread.start()
        while not self._server.started and self._thread.is_alive():
            sleep(0.005)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.should_exit = True
        until = monotonic() + PATIENCE
        while self._thread.is_alive() and monotonic() < until:
            self._thread.join(0.05)
        self._server.force_exit = True  # a calculation under way is left; the thread ends with the program
        self._listening.close()

    def show(self, place: str = "") -> bool:
        """Opens the reader's browser at a place of the page; False where there is none."""
        try:
            return webbrowser.open(self.address + place)
        except webbrowser.Error:
            return False

    def wait(self) -> None:
        """Returns when the server has ended by itself; signals come through."""
        while self._thread.is_alive():
            self._thread.join(0.2)


def _listening(port: int) -> socket.socket:
    """A socket on the loopback interface."""
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((LOOPBACK, port))
    except (OSError, OverflowError) as error:
        made.close()
        raise OutputError(
            f"cannot listen on port {port} of {LOOPBACK}: {error}; choose another with --port, or leave it out"
        ) from error
    made.listen(1024)
    return made


def _server(app: Any) -> Any:
    import uvicorn

    config = uvicorn.Config(
        app,
        log_config=None,
        log_level="critical",
        access_log=False,
        lifespan="off",
        ws="none",
        http="h11",  # which takes no two hosts in one request
        server_header=False,
        backlog=1024,
        timeout_keep_alive=5,
        timeout_graceful_shutdown=1,
    )
    return uvicorn.Server(config)

"""The browser of a training as a web application: each address is one view, and all of them only read."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import queue
import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from handgrad.errors import HandgradError, SpecificationError
from handgrad.live.walk import views
from handgrad.live.walk.guard import App, Guard
from handgrad.live.walk.heat import Region
from handgrad.live.walk.walked import Walked
from handgrad.models.model import Model
from handgrad.models.training_data import TrainingData
from handgrad.render.html.page import stylesheet
from handgrad.rich_repr import printable
from handgrad.version import __version__
from handgrad.writing.messages import SENTENCES
from handgrad.writing.phrasebook import Phrasebook, chosen_language, languages
from handgrad.writing.walk_messages import WALK

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

HERE = Path(__file__).parent
MOST_WAITING = 256
"""Requests that wait for a calculation; further ones are told to come back."""
MOST_ANSWERS = 64
JSON, HTML = "application/json", "text/html; charset=utf-8"


class Progress(NamedTuple):
    """How far a training under way is."""

    epoch: int
    epochs: int


class Walking:
    """The trainings that are shown; one that is under way is put in place of what it was, again and again.

    `lock` is held by whoever opens a step: engines and tables are not for several threads at once.
    """

    def __init__(self, walked: Sequence[Walked], language: str | None = None) -> None:
        self.walked = list(walked)
        self.language = chosen_language(language)
        self.lock = threading.Lock()
        self.progress: Progress | None = None
        self.version = 0

    def publish(self, model: Model, name: str, seen: TrainingData, progress: Progress | None) -> None:
        """The training so far, in the place of the only one that is shown; called by the thread that trains."""
        walked = Walked(model, name, seen=seen)
        if self.walked:
            walked.take_over(self.walked[0])
        self.walked = [walked]
        self.progress, self.version = progress, self.version + 1

    def get(self, number: int) -> Walked:
        """A training by its place. Raises SpecificationError where there is none."""
        shown = self.walked
        if not 0 <= number < len(shown):
            raise SpecificationError(f"there is no training {number}; there are {len(shown)}, counted from 0")
        return shown[number]

    def state(self) -> dict[str, Any]:
        """All trainings, and how far the one under way is."""
        return {
            "handgrad": __version__,
            "version": self.version,
            "language": self.language,
            "progress": None if self.progress is None else self.progress._asdict(),
            "trainings": [views.training(walked) for walked in self.walked],
        }


class Asked:
    """What a request asks for: texts by name, taken as what they mean."""

    def __init__(self, walking: Walking, texts: Mapping[str, str]) -> None:
        self._walking, self._texts = walking, texts

    def number(self, name: str, otherwise: int | None = None) -> int:
        """A whole number. Raises SpecificationError for anything else."""
        text = self._texts.get(name, "" if otherwise is None else str(otherwise))
        if not re.fullmatch(r"-?\d{1,15}", text):
            raise SpecificationError(f"{name} must be a whole number, got {text[:40]!r}")
        return int(text)

    def text(self, name: str) -> str | None:
        """A text; None where it is not given or empty."""
        return self._texts.get(name) or None

    @property
    def walked(self) -> Walked:
        """The training that is meant, by default the first."""
        return self._walking.get(self.number("model", 0))

    @property
    def step(self) -> int:
        """The step that is meant."""
        return self.number("step")

    @property
    def minus(self) -> tuple[Walked, int] | None:
        """The step of a training to be taken off, written MODEL,STEP."""
        text = self.text("minus")
        if text is None:
            return None
        if not re.fullmatch(r"\d{1,3},\d{1,15}", text):
            raise SpecificationError(f"minus is written MODEL,STEP, got {text[:40]!r}")
        model, step = map(int, text.split(","))
        return self._walking.get(model), step


def _sheet(asked: Asked) -> bytes:
    given = {name: text for name in views.SHEET if (text := asked.text(name)) is not None}
    return views.sheet(asked.walked, asked.step, **given)


def _part(asked: Asked) -> Any:
    region = Region.parse(asked.text("region") or "")
    return views.part(asked.walked, asked.step, asked.text("name") or "", region, asked.minus)


COMPUTED: dict[str, Callable[[Asked], Any]] = {
    "/step": lambda asked: views.step(asked.walked, asked.step, asked.minus),
    "/part": _part,
    "/epoch": lambda asked: views.epoch(asked.walked, asked.step),
    "/batch": lambda asked: views.batch(asked.walked, asked.step, asked.number("first", 0)),
    "/why": lambda asked: views.reasons(asked.walked, asked.step, asked.number("row")),
    "/sheet": _sheet,
}
"""The views that take a step again; one at a time, because engines and tables are not for several threads."""


@cache
def pages() -> dict[str, tuple[str, bytes]]:
    """Every file that is served, by its address: nothing else of the disk can be named."""
    script = "text/javascript; charset=utf-8"
    found = {
        "/": (HTML, (HERE / "page.html").read_bytes()),
        "/page.css": (
            "text/css; charset=utf-8",
            f"{stylesheet()}\n{(HERE / 'page.css').read_text(encoding='utf-8')}".encode(),
        ),
        "/words": (JSON, json.dumps(words(), ensure_ascii=False).encode()),
    }
    for folder, where in (("walk/js", HERE / "js"), ("js", HERE.parent / "js")):
        found |= {f"/{folder}/{path.name}": (script, path.read_bytes()) for path in where.glob("*.js")}
    return found


def words() -> dict[str, dict[str, str]]:
    """The words of the page in every language, their places left open."""
    found = {}
    for language in languages():
        book = Phrasebook(language)
        named = [key for key in SENTENCES if key.startswith(("activation:", "optimizer:"))]
        places = {key: re.findall(r"\{(\w+)\}", SENTENCES[key]) for key in (*WALK, *named)}
        found[language] = {
            key: book.text(key, **{name: f"{{{name}}}" for name in inner}) for key, inner in places.items()
        }
    return found


def application(walking: Walking, token: str, port: int) -> App:
    """The whole application behind its guard."""
    from starlette.routing import Route, Router

    answers: OrderedDict[str, tuple[str, bytes]] = OrderedDict()
    desk = Desk()

    async def state(request: Request) -> Response:
        return _answer(JSON, _encoded(walking.state()))

    async def computed(request: Request) -> Response:
        path = request.scope["path"]
        key = f"{walking.version}{path}?{request.url.query}"
        if key not in answers:
            asked = Asked(walking, dict(request.query_params))
            try:
                found = await desk.done(request, lambda: _locked(walking.lock, COMPUTED[path], asked))
            except Busy:
                return _answer("text/plain", b"too many at once; ask again\n", 503, (("retry-after", "1"),))
            except Gone:
                return _answer("text/plain", b"", 499)
            except HandgradError as error:
                return _answer(JSON, _encoded({"error": printable(str(error))}), 422)
            except (
                Exception
            ) as error:  # a defect, or no memory: the page says so, and goes on with other steps
                return _answer(
                    JSON, _encoded({"error": f"{type(error).__name__}: {printable(str(error))}"}), 500
                )
            answers[key] = (HTML, found) if isinstance(found, bytes) else (JSON, _encoded(found))
            while len(answers) > MOST_ANSWERS:
                answers.popitem(last=False)
        kind, body = answers[key]
        return _answer(
            kind, body, more=(("content-security-policy", sheet_policy(body)),) if kind == HTML else ()
        )

    async def static(request: Request) -> Response:
        kind, body = pages()[request.scope["path"]]
        return _answer(kind, body)

    routes = [
        *(Route(path, static) for path in pages()),
        *(Route(path, computed) for path in COMPUTED),
        Route("/state", state),
    ]
    return Guard(Router(routes, redirect_slashes=False), token, port)


def _locked(lock: threading.Lock, view: Callable[[Asked], Any], asked: Asked) -> Any:
    with lock:
        return view(asked)


def _encoded(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def _answer(kind: str, body: bytes, status: int = 200, more: Sequence[tuple[str, str]] = ()) -> Response:
    from starlette.responses import Response

    return Response(body, status, dict(more), kind)


SCRIPT = re.compile(rb"<script>(.*?)</script>", re.DOTALL)


def sheet_policy(page: bytes) -> str:
    """The policy of a sheet: its own styles and its one script, known by its hash, and nothing from anywhere.

    >>> sheet_policy(b"<p>no script</p>").split("; ")[1]
    "script-src 'none'"
    """
    # the last one is the writer's own; a title cannot bring another: it is escaped
    scripts = SCRIPT.findall(page)[-1:]
    hashes = [base64.b64encode(hashlib.sha256(script).digest()).decode() for script in scripts]
    allowed = " ".join(f"'sha256-{found}'" for found in hashes) or "'none'"
    return (
        f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; font-src data:; img-src data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
    )


class Busy(Exception):
    """Too many wait already."""


class Gone(Exception):
    """Who asked does not wait any more."""


class Desk:
    """Does one calculation at a time, in the order in which they were asked for.

    They run in a thread that no end of the program waits for: asyncio's own threads are waited for.
    """

    def __init__(self) -> None:
        self._turn: asyncio.Lock | None = None
        self._waiting = 0
        self._work: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        threading.Thread(target=self._run, name="handgrad open: calculations", daemon=True).start()

    def _run(self) -> None:
        while True:
            self._work.get()()

    async def done(self, request: Request, call: Callable[[], Any]) -> Any:
        """The result of a call, when its turn comes. Raises Busy, or Gone where nobody waits for the answer."""
        if self._waiting >= MOST_WAITING:
            raise Busy
        turn = self._turn = self._turn or asyncio.Lock()  # made within the loop that uses it
        self._waiting += 1
        try:
            async with turn:
                if await request.is_disconnected():
                    raise Gone
                return await self._called(call)
        finally:
            self._waiting -= 1

    async def _called(self, call: Callable[[], Any]) -> Any:
        loop = asyncio.get_running_loop()
        result: asyncio.Future[Any] = loop.create_future()

        def settle(kind: Callable[[Any], None], value: Any) -> None:
            if not result.done():
                kind(value)

        def work() -> None:
            try:
                outcome = (result.set_result, call())
            except Exception as error:
                outcome = (result.set_exception, error)
            with suppress(RuntimeError):  # the server has ended meanwhile
                loop.call_soon_threadsafe(settle, *outcome)

        self._work.put(work)
        return await result

"""How something is done: asked for, shown as pending, and told what became of it."""

import itertools
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from textual.screen import ModalScreen

from supervisor_cli.dashboard import deeds, forms
from supervisor_cli.dashboard.board import Board
from supervisor_cli.dashboard.deeds import Build, Now, Verb
from supervisor_cli.dashboard.roster import Place, Row
from supervisor_cli.dashboard.what import whom
from supervisor_cli.errors import SimuError
from supervisor_cli.outcomes import Told

T = TypeVar("T")
Act = Callable[[Now], Awaitable[list[Told]]]


class Doing(Board):
    """A board on which things can be done; see `Board` for the arguments."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._tokens = itertools.count()

    async def ask(self, screen: ModalScreen[T | None]) -> T | None:
        """Show a form and return what came of it; None where it was called off."""
        return await self.push_screen_wait(screen)

    def rows(self) -> list[Row]:
        """Return the rows that an action hits."""
        return [row for row in map(self.roster.row, self.targets()) if row is not None]

    def names(self) -> list[str]:
        """Return the charge points that an action hits."""
        return list(dict.fromkeys(place.charge_point_id for place in self.targets()))

    def places_of(self, charge_point_ids: Sequence[str]) -> list[Place]:
        """Return all places of charge points."""
        return [row.place for row in self.roster.of(charge_point_ids)]

    def at_connectors(self, act: Callable[[Row, list[Place]], Awaitable[None]]) -> None:
        """Act on the connectors that are hit; `act` gets the first one's row and all places."""
        rows = [row for row in self.rows() if row.connector is not None]
        if not rows:
            self.refuse("no connector is selected")
            return

        async def work() -> None:
            await act(rows[0], [row.place for row in rows])

        self.run_worker(work(), name="at connectors")

    def drive_now(self, title: str, build: Build) -> None:
        """Give an input to the connectors that are hit, without a question."""
        self.at_connectors(lambda _row, places: self.drive(title, places, build))

    async def drive(self, title: str, places: Sequence[Place], build: Build) -> None:
        """Give an input to connectors."""

        async def act(_now: Now) -> list[Told]:
            return await deeds.at_connectors(self.client, places, build)

        await self.do(title, places, act)

    def command(self, verb: Verb) -> None:
        """Send a command for the charge points that are hit; ask before much or all is lost."""
        names = self.names()
        if not names:
            self.refuse("no charge point is selected")
            return

        async def work() -> None:
            stored = " with all that is stored" if verb is deeds.REMOVE else ""
            if verb is deeds.REMOVE or len(names) > 1:
                question = forms.ConfirmScreen(
                    f"{verb.verb} {whom(names)}{stored}?", [", ".join(names)]
                )
                if not await self.push_screen_wait(question):
                    self.refuse(f"nothing was {verb.done}")
                    return
            await self.do(
                verb.verb.lower(),
                self.places_of(names),
                lambda now: deeds.command(self.client, verb, names, now),
            )

        self.run_worker(work(), name=verb.verb)

    async def do(self, title: str, places: Sequence[Place], act: Act) -> None:
        """Do something, show that it is being done, and what became of it."""
        with self._marked_pending(places):
            token = next(self._tokens)
            self.begun(token, f"{title}…")
            record = None
            try:
                told = await act(lambda text: self.begun(token, text))
                record = self.record(title, told)
            except SimuError as exc:
                record = self.record(title, [Told.failed("", exc)])
            finally:
                self.ended(token, record)

    @contextmanager
    def _marked_pending(self, places: Sequence[Place]) -> Iterator[None]:
        self.pending.update(places)
        self.changed()
        try:
            yield
        finally:
            self.pending.subtract(places)
            self.pending = +self.pending
            self.changed()

    def refuse(self, text: str) -> None:
        """Say why nothing is done."""
        told = Told.failed("", SimuError(text))
        self.ended(-1, self.record("nothing was done", [told]))

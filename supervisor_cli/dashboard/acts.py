"""What the keys do to connectors and charge points."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

from cp_image.api.payloads import CarInput, Event, TagRefused
from supervisor_cli.dashboard import deeds, dialogs, new_ones
from supervisor_cli.dashboard.roster import Place, Row
from supervisor_cli.dashboard.telling import Telling
from supervisor_cli.dashboard.what import what
from supervisor_cli.errors import ExitCode
from supervisor_cli.outcomes import Told

_REFUSED_WITHIN_S: Final = 30.0


async def _patience() -> None:
    await asyncio.sleep(_REFUSED_WITHIN_S)


class Acts(Telling):
    """A board with the actions of `simuctl`; see `Board` and `SetUps` for the arguments.

    Args:
        central_system: the CSMS URL that a new charge point gets unless told otherwise; empty:
            the one that most of the fleet has.
        patience: waits as long as a card may be refused after it was presented.
    """

    def __init__(
        self,
        *args: Any,
        central_system: str = "",
        patience: Callable[[], Awaitable[None]] = _patience,
        **options: Any,
    ) -> None:
        super().__init__(*args, **options)
        self._patience = patience
        self._central_system = central_system
        self._last_tag = dialogs.DEFAULT_TAG

    # -- at a connector ---------------------------------------------------------------------------

    def action_plug(self) -> None:
        """Plug a car in."""

        async def plug(row: Row, places: list[Place]) -> None:
            build = await self.ask(dialogs.plug(row, what(places)))
            if build is not None:
                await self.drive("plug in", places, build)

        self.at_connectors(plug)

    def action_unplug(self) -> None:
        """Unplug the car."""
        self.drive_now("unplug", lambda _view, _number: (CarInput(cable=0.0), "unplugged"))

    def action_tag(self) -> None:
        """Hold a card to the reader."""

        async def tag(row: Row, places: list[Place]) -> None:
            answer = await self.ask(dialogs.tag(row, what(places), self._last_tag))
            if answer is not None:
                self._last_tag, build = answer
                names = {place.charge_point_id for place in places}
                # Whether a card is good turns out later: the CSMS is asked.
                with self.client.hearing_events(names, self._told_of):
                    await self.drive(f"tag {self._last_tag}", places, build)
                    await self._patience()

        self.at_connectors(tag)

    def action_ready(self) -> None:
        """Let the car want energy, or none; of several that differ, all want it."""
        rows = self.rows()
        ready = not all(_is(row, lambda it: it.car_ready) for row in rows)
        words = "the car wants energy" if ready else "the car wants no energy"
        self.drive_now(
            "ready" if ready else "not ready",
            lambda _view, _number: (CarInput(ready=ready), words),
        )

    def action_draw(self) -> None:
        """Change what the car asks for."""

        async def draw(row: Row, places: list[Place]) -> None:
            build = await self.ask(dialogs.draw(row, what(places)))
            if build is not None:
                await self.drive("draw", places, build)

        self.at_connectors(draw)

    # -- charge points ----------------------------------------------------------------------------

    def action_add(self) -> None:
        """Start new charge points."""

        async def add() -> None:
            view = self.client.view
            around = new_ones.Around(
                known=view.by_id.keys(),
                central_system=self._central_system or self._usual_csms(),
                environment=self.client.environment,
            )
            wanted = await self.ask(new_ones.add(around))
            if wanted is not None:
                self.fleet_table.select(Place(wanted[0].id, 1))
                await self.do(
                    "start", [], lambda now: deeds.start(self.client, wanted, self.open_store, now)
                )

        self.run_worker(add(), name="add")

    def action_kill(self) -> None:
        """Cut the power."""
        self.command(deeds.KILL)

    def action_halt(self) -> None:
        """Stop in order."""
        self.command(deeds.STOP)

    def action_restart(self) -> None:
        """Give the power back."""
        self.command(deeds.RESTART)

    def action_remove(self) -> None:
        """Remove, with all that is stored."""
        self.command(deeds.REMOVE)

    def action_freeze(self) -> None:
        """Hang the process."""
        self.command(deeds.FREEZE)

    def action_thaw(self) -> None:
        """Let it go on."""
        self.command(deeds.THAW)

    def action_cut(self) -> None:
        """Take the network away."""
        self.command(deeds.CUT)

    def action_mend(self) -> None:
        """Give the network back."""
        self.command(deeds.MEND)

    def _told_of(self, charge_point_id: str, event: Event) -> None:
        if not isinstance(event, TagRefused):
            return
        refused = Told(
            charge_point_id=charge_point_id,
            text=f"connector {event.connector_id}: {event.text}",
            exit_code=ExitCode.FAILED,
        )
        self.ended(-1, self.record(f"tag {event.id_tag} refused", [refused]))

    def _usual_csms(self) -> str:
        urls = [
            each.status.central_system
            for each in self.client.view.charge_points
            if each.status is not None
        ]
        return max(urls, key=urls.count, default=new_ones.DEFAULT_CSMS)


def _is(row: Row, test: Callable[[Any], bool]) -> bool:
    return row.connector is not None and test(row.connector.reported)

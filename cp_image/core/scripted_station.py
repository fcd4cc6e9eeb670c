"""A station whose drivers come on their own: to its runner it is a station like any other."""

from collections.abc import Callable, Iterable
from random import Random

from cp_image.core.effects import Effect, Log, LogLevel, PublishConnector, Reboot
from cp_image.core.errors import InputError
from cp_image.core.events import Event, Stopped
from cp_image.core.script import Car, Driver, Script
from cp_image.core.script_settings import ScriptSettings
from cp_image.core.settings import StationSettings
from cp_image.core.station import Station


class ScriptedStation:
    """A station and its script.

    Args:
        station: what is driven.
        make_script: makes the script, of the time of power-up.
    """

    def __init__(self, station: Station, make_script: Callable[[float], Script]) -> None:
        self._station = station
        self._make_script = make_script
        self._script: Script | None = None

    def power_up(self, now: float) -> list[Effect]:
        """Come to life."""
        self._script = self._make_script(now)
        return self._seen(self._station.power_up(now), now)

    def handle(self, event: Event, now: float) -> list[Effect]:
        """Take in what has happened.

        Raises:
            InputError: the event is refused; nothing has changed.
        """
        effects = self._seen(self._station.handle(event, now), now)
        if isinstance(event, Stopped):
            self._script = None
        return effects

    def tick(self, now: float) -> list[Effect]:
        """Do what is due."""
        effects = self._seen(self._station.tick(now), now)
        while self._script is not None and (event := self._script.due(now)) is not None:
            try:
                effects += self._seen(self._station.handle(event, now), now)
            except InputError as exc:
                effects.append(Log(level=LogLevel.INFO, text=f"the script is refused: {exc}"))
        return effects

    def next_deadline(self) -> float | None:
        """Return when to call `tick`, epoch seconds; None: not before another event."""
        own = self._script.next_deadline() if self._script is not None else None
        both = (own, self._station.next_deadline())
        return min((at for at in both if at is not None), default=None)

    def ocpp_config(self) -> dict[str, str]:
        """Return the readable configuration keys."""
        return self._station.ocpp_config()

    def _seen(self, effects: list[Effect], now: float) -> list[Effect]:
        self._look_at(effects, now)
        return effects

    def _look_at(self, effects: Iterable[Effect], now: float) -> None:
        for effect in effects:
            if isinstance(effect, Reboot):
                self._script = None  # another station comes to life, with a script of its own
            if isinstance(effect, PublishConnector) and self._script is not None:
                self._script.see(effect.connector_id, effect.status, now)


def scripted(
    station: Station,
    settings: StationSettings,
    script: ScriptSettings,
    make_random: Callable[[str], Random],
) -> ScriptedStation:
    """Return a station with its script.

    Args:
        station: what is driven.
        settings: of the station.
        script: what the drivers do.
        make_random: makes a source of chance, of the name of its stream.
    """
    car = Car(
        type=settings.type,
        nb_phases=settings.nb_phases,
        cable=settings.max_setpoint_per_connector,
    )
    randoms = [make_random(f"script-{n}") for n in range(1, settings.nb_connectors + 1)]

    def make_script(now: float) -> Script:
        return Script([Driver(n, script, car, r, now) for n, r in enumerate(randoms, start=1)])

    return ScriptedStation(station, make_script)

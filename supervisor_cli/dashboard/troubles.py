"""What breaks, by key: faults of a connector or of a whole charge point, and the emergency stop."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Final

from cp_image.api.payloads import ErrorCode, FaultedInput
from supervisor_cli.dashboard.deeds import Build
from supervisor_cli.dashboard.forms import Field, FormScreen, Values
from supervisor_cli.dashboard.roster import Place, Row
from supervisor_cli.dashboard.set_ups import SetUps
from supervisor_cli.dashboard.what import what, whom

_ALL: Final = "all"
_CODES: Final = tuple(str(each) for each in ErrorCode if each is not ErrorCode.NO_ERROR)
_HIT: Final = "hit"
_RELEASE: Final = "release"
_STOPS_WITH: Final = ErrorCode.INTERNAL_ERROR
"""The fault that a hit sets, as any input that names none: see `FaultedInput`."""
_ENDS: Final = (
    "Ends what charges there, with the reason EmergencyStop; nothing charges until it is released. "
    f"It is the fault {_STOPS_WITH}: its release mends that, however it came; other faults stay."
)


class Where(StrEnum):
    """What of a charge point is faulty; each is faulty and mended on its own."""

    CONNECTOR = "connector"
    CHARGE_POINT = "whole charge point"
    BOTH = "both"

    def places(self, hit: Sequence[Place]) -> list[Place]:
        """Return where an input goes; number 0 is a charge point as a whole."""
        whole = dict.fromkeys(Place(place.charge_point_id, 0) for place in hit)
        connectors = () if self is Where.CHARGE_POINT else hit
        return [*connectors, *(() if self is Where.CONNECTOR else whole)]


class Troubles(SetUps):
    """A board on which things break and are mended; see `SetUps` for the arguments."""

    def action_fault(self) -> None:
        """Inject a fault."""

        async def fault(_row: Row, places: list[Place]) -> None:
            answer = await self.ask(fault_form(what(places)))
            if answer is not None:
                where, build = answer
                await self.drive("fault", where.places(places), build)

        self.at_connectors(fault)

    def action_unfault(self) -> None:
        """Mend what is faulty."""

        async def mend(_row: Row, places: list[Place]) -> None:
            answer = await self.ask(unfault_form(what(places)))
            if answer is not None:
                where, build = answer
                await self.drive("clear the fault", where.places(places), build)

        self.at_connectors(mend)

    def action_emergency(self) -> None:
        """Hit the emergency stop, or release it."""

        async def stop(_row: Row, places: list[Place]) -> None:
            answer = await self.ask(emergency_form(whom(self.names())))
            if answer is not None:
                where, build = answer
                await self.drive("emergency stop", where.places(places), build)

        self.at_connectors(stop)


def fault_form(hit: str) -> FormScreen[tuple[Where, Build]]:
    """Ask which fault to inject, and where."""
    fields = [
        Field(name="code", label="error", value=ErrorCode.INTERNAL_ERROR, choices=_CODES),
        _where(Where.CONNECTOR, Where.CHARGE_POINT),
    ]
    return FormScreen(f"Inject a fault at {hit}", fields, read_fault)


def read_fault(values: Values) -> tuple[Where, Build]:
    """Return where a fault is injected, and by what."""
    code = ErrorCode(values["code"])
    payload = FaultedInput(faulted=True, error_code=code)
    return Where(values["where"]), lambda _view, _number: (payload, f"faulty, {code}")


def unfault_form(hit: str) -> FormScreen[tuple[Where, Build]]:
    """Ask which fault to clear, and where."""
    fields = [
        Field(name="code", label="error", value=_ALL, choices=(_ALL, *_CODES)),
        _where(Where.BOTH, Where.CONNECTOR, Where.CHARGE_POINT),
    ]
    about = "What has another fault stays Faulted."
    return FormScreen(f"Clear the faults of {hit}", fields, read_unfault, about=about)


def read_unfault(values: Values) -> tuple[Where, Build]:
    """Return where faults are cleared, and by what."""
    code = None if values["code"] == _ALL else ErrorCode(values["code"])
    payload = FaultedInput(faulted=False, error_code=code)
    done = f"{code or 'all faults'} mended"
    return Where(values["where"]), lambda _view, number: (payload, f"{done}{_of_whole(number)}")


def emergency_form(hit: str) -> FormScreen[tuple[Where, Build]]:
    """Ask whether the emergency stop is hit or released."""
    # No charge point tells a stop that was hit from a fault that was injected: it is never guessed.
    fields = [
        Field(name="do", label="do", value=_HIT, choices=(_HIT, _RELEASE)),
        _where(Where.CHARGE_POINT, Where.CONNECTOR),
    ]
    return FormScreen(
        f"Emergency stop at {hit}", fields, read_emergency, about=_ENDS, destroys=True
    )


def read_emergency(values: Values) -> tuple[Where, Build]:
    """Return where the emergency stop is hit or released, and by what."""
    if values["do"] == _HIT:
        payload = FaultedInput(faulted=True, emergency=True)
        done = "emergency stop hit"
    else:
        payload = FaultedInput(faulted=False, error_code=_STOPS_WITH)
        done = f"no emergency stop is hit, nor another {_STOPS_WITH}"
    return Where(values["where"]), lambda _view, _number: (payload, done)


def _where(*choices: Where) -> Field:
    return Field(name="where", label="of what", value=choices[0], choices=choices)


def _of_whole(number: int) -> str:
    return "" if number else " of the whole"

"""What charge points are made to tell the CSMS, by key: DataTransfer, and security events."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final, TypeVar

from supervisor_cli.commands.data_transfer import Transfer, transferred
from supervisor_cli.commands.security_event import happened
from supervisor_cli.dashboard.deeds import Now
from supervisor_cli.dashboard.forms import Field, FormScreen, Values
from supervisor_cli.dashboard.troubles import Troubles
from supervisor_cli.dashboard.what import whom
from supervisor_cli.errors import SimuError
from supervisor_cli.outcomes import Told, for_each

T = TypeVar("T")
_MOST_EVENT: Final = 50
_MOST_TEXT: Final = 255
_NAMES: Final = (
    "By its name in the Security Whitepaper, such as TamperDetectionActivated, MemoryExhaustion, "
    "InvalidFirmwareSignature or AttemptedReplayAttacks."
)


class Telling(Troubles):
    """A board by which charge points say things; see `Troubles` for the arguments."""

    def action_data_transfer(self) -> None:
        """Send DataTransfer to the CSMS."""
        self.at_charge_points(
            transfer_form,
            "data transfer",
            lambda transfer, name: transferred(self.client, name, transfer),
        )

    def action_security_event(self) -> None:
        """Let a security event happen."""
        self.at_charge_points(
            event_form,
            "security event",
            lambda event, name: happened(self.client, name, event[0], event[1]),
        )

    def at_charge_points(
        self,
        form: Callable[[str], FormScreen[T]],
        title: str,
        act: Callable[[T, str], Awaitable[Told]],
    ) -> None:
        """Ask, and do it with each charge point that is hit, all at once.

        Args:
            form: made for what is hit, in words.
            title: what is done.
            act: does with one what was answered; raises `SimuError` where it fails.
        """
        names = self.names()
        if not names:
            self.refuse("no charge point is selected")
            return

        async def work() -> None:
            answer = await self.ask(form(whom(names)))
            if answer is None:
                return
            await self.do(title, self.places_of(names), _with_each(names, answer, act))

        self.run_worker(work(), name=title)


def _with_each(
    names: Sequence[str], answer: T, act: Callable[[T, str], Awaitable[Told]]
) -> Callable[[Now], Awaitable[list[Told]]]:
    return lambda _now: for_each(names, lambda name: act(answer, name))


def transfer_form(hit: str) -> FormScreen[Transfer]:
    """Ask what is sent."""
    fields = [
        Field(name="vendor", label="vendor id", note="as com.example"),
        Field(name="message", label="message id", otherwise="none"),
        Field(name="data", label="data", otherwise="none"),
    ]
    return FormScreen(f"DataTransfer from {hit} to the CSMS", fields, read_transfer)


def read_transfer(values: Values) -> Transfer:
    """Return what is sent.

    Raises:
        SimuError: there is no vendor id, or an id is too long.
    """
    vendor, message = values["vendor"].strip(), values["message"].strip()
    if not 1 <= len(vendor) <= _MOST_TEXT:
        raise SimuError(f"a vendor id has 1 to {_MOST_TEXT} characters, this one {len(vendor)}")
    if len(message) > _MOST_EVENT:
        raise SimuError(f"a message id has {_MOST_EVENT} characters at most, not {len(message)}")
    return Transfer(vendor_id=vendor, message_id=message or None, data=values["data"] or None)


def event_form(hit: str) -> FormScreen[tuple[str, str | None]]:
    """Ask what happens."""
    fields = [
        Field(name="event", label="event", value="TamperDetectionActivated"),
        Field(name="text", label="text", otherwise="none", note="for people"),
    ]
    return FormScreen(f"A security event at {hit}", fields, read_event, about=_NAMES)


def read_event(values: Values) -> tuple[str, str | None]:
    """Return the event and its text.

    Raises:
        SimuError: either is too long, or there is no event.
    """
    event, text = values["event"].strip(), values["text"]
    if not 1 <= len(event) <= _MOST_EVENT:
        raise SimuError(f"an event has 1 to {_MOST_EVENT} characters, this one {len(event)}")
    if len(text) > _MOST_TEXT:
        raise SimuError(f"a text has {_MOST_TEXT} characters at most, not {len(text)}")
    return event, text or None

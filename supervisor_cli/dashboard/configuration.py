"""The OCPP configuration of a charge point: shown, and changed a key at a time."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from rich.console import Group as Lines
from rich.text import Text
from textual.binding import Binding, BindingType

from supervisor_cli.client import SimuClient
from supervisor_cli.commands.configuration import need_lengths
from supervisor_cli.dashboard import screens
from supervisor_cli.dashboard.deeds import Now
from supervisor_cli.dashboard.forms import Field, FormScreen, Values
from supervisor_cli.dashboard.panes import Panes
from supervisor_cli.errors import ExitCode, SimuError
from supervisor_cli.outcomes import Told


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """A key and the value it is to have."""

    key: str
    value: str


class ConfigurationScreen(screens.ReadScreen):
    """The keys and their values; is dismissed with whether one is to be set.

    Args:
        charge_point_id: whose they are.
        configuration: what can be read and has a value.
        said: what became of the last change; shown above the keys.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("s", "set", show=False)]
    KEYS = f"[b]s[/b] set a key   {screens.ReadScreen.KEYS}"

    def __init__(
        self, charge_point_id: str, configuration: Mapping[str, str], said: Text | None
    ) -> None:
        page = screens.configuration_page(configuration)
        content = page if said is None else Lines(said, Text(), page)
        super().__init__(f"{charge_point_id}: OCPP configuration", content)

    def action_set(self) -> None:
        """Close, for a key to be set."""
        self.dismiss(True)


class Configuring(Panes):
    """A board that shows and changes OCPP configuration; see `Panes` for the arguments."""

    def action_configuration(self) -> None:
        """Show the OCPP configuration of the selected one, and set keys of it."""
        row = self.selected
        if row is None:
            self.refuse("no charge point is selected")
            return
        name = row.place.charge_point_id

        async def show() -> None:
            said: Text | None = None
            try:
                known = await self.client.configuration(name)
                while await self.push_screen_wait(ConfigurationScreen(name, known, said)):
                    setting = await self.ask(_form(name))
                    if setting is not None:
                        await self._set(name, setting, known)
                        said = self.outcome_text()
                    known = await self.client.configuration(name)
            except SimuError as exc:
                self.refuse(str(exc))

        self.run_worker(show(), name="configuration")

    async def _set(self, name: str, setting: Setting, known: Mapping[str, str]) -> None:
        async def act(_now: Now) -> list[Told]:
            return [await _told(self.client, name, setting, known)]

        places = [row.place for row in self.roster.of([name])]
        await self.do(f"set {setting.key}", places, act)


def _form(charge_point_id: str) -> FormScreen[Setting]:
    fields = [
        Field(name="key", label="key", note="HeartbeatInterval"),
        Field(name="value", label="value", note="60"),
    ]
    about = "By the rules that hold for the CSMS; obeyed at once, and kept."
    return FormScreen(f"Set a key of {charge_point_id}", fields, _read, about=about)


def _read(values: Values) -> Setting:
    setting = Setting(key=values["key"].strip(), value=values["value"])
    need_lengths(setting.key, setting.value)
    return setting


async def _told(
    simu: SimuClient, charge_point_id: str, setting: Setting, known: Mapping[str, str]
) -> Told:
    """Set it and return what became of it; the value of what cannot be read is a secret."""
    key = setting.key
    result = await simu.configure(charge_point_id, key, setting.value)
    if not result.ok:
        return Told(
            charge_point_id=charge_point_id,
            code=result.code,
            text=result.text or result.code or "refused without a reason",
            exit_code=ExitCode.FAILED,
        )
    # Keys are the same in whatever case (OCPP 1.6 §6.6).
    is_readable = key.casefold() in {each.casefold() for each in known}
    text = f"{key}={setting.value}" if is_readable else f"{key} set"
    return Told(charge_point_id=charge_point_id, text=text)

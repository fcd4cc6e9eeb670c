"""The OCPP configuration: of one charge point shown, and of many changed, a key at a time."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from rich.console import Group as Lines
from rich.console import RenderableType
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
from supervisor_cli.terminal import printable


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """A key and the value it is to have."""

    key: str
    value: str


class ConfigurationScreen(screens.ReadScreen):
    """The keys and their values; is dismissed with whether one is to be set.

    Args:
        charge_point_id: whose they are.
        said: what became of the last change; shown above the keys.

    Attributes:
        configuration: what can be read and has a value; empty until it was heard.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("s", "set", show=False)]
    KEYS = f"[b]s[/b] set a key   {screens.ReadScreen.KEYS}"

    def __init__(self, charge_point_id: str, said: Text | None) -> None:
        self.configuration: Mapping[str, str] = {}
        self._said = said
        title = f"{charge_point_id}: OCPP configuration"
        super().__init__(title, self._below(Text(f"{charge_point_id} is asked…", "dim")))

    def know(self, configuration: Mapping[str, str]) -> None:
        """Show the keys."""
        self.configuration = configuration
        self.show(self._below(screens.configuration_page(configuration)))

    def complain(self, why: str) -> None:
        """Say why there are none to show."""
        self.show(self._below(Text(printable(why), "red")))

    def action_set(self) -> None:
        """Close, for a key to be set."""
        self.dismiss(True)

    def _below(self, page: RenderableType) -> RenderableType:
        return page if self._said is None else Lines(self._said, Text(), page)


class Configuring(Panes):
    """A board that shows and changes OCPP configuration; see `Panes` for the arguments."""

    def action_configuration(self) -> None:
        """Show the OCPP configuration of the selected one, and set keys of it."""
        row = self.selected
        if row is None:
            self.refuse("no charge point is selected")
            return
        name = row.place.charge_point_id
        try:
            self.client.living(name)
        except SimuError as exc:
            self.refuse(str(exc))
            return

        async def show() -> None:
            said: Text | None = None
            while True:
                # It opens at once: what is typed while the charge point is asked is meant for it.
                page = ConfigurationScreen(name, said)
                asking = self.run_worker(self._fill(page, name), name="ask for the configuration")
                wants_to_set = await self.push_screen_wait(page)
                asking.cancel()
                if not wants_to_set:
                    return
                setting = await self.ask(_form(name))
                if setting is not None:
                    await self._set(name, setting, page.configuration)
                    said = self.outcome_text()

        self.run_worker(show(), name="configuration")

    def action_configure(self) -> None:
        """Set a key at all that are hit."""

        async def one(setting: Setting, name: str) -> Told:
            return await _told(self.client, name, setting, await self.client.configuration(name))

        self.at_charge_points(_form, "set a key", one)

    async def _fill(self, page: ConfigurationScreen, name: str) -> None:
        try:
            page.know(await self.client.configuration(name))
        except SimuError as exc:
            page.complain(str(exc))

    async def _set(self, name: str, setting: Setting, known: Mapping[str, str]) -> None:
        async def act(_now: Now) -> list[Told]:
            # It can be set before the keys were heard: which of them can be read is asked then.
            readable = known or await self.client.configuration(name)
            return [await _told(self.client, name, setting, readable)]

        await self.do(f"set {setting.key}", self.places_of([name]), act)


def _form(hit: str) -> FormScreen[Setting]:
    fields = [
        Field(name="key", label="key", note="HeartbeatInterval"),
        Field(name="value", label="value", note="60"),
    ]
    about = "By the rules that hold for the CSMS; obeyed at once, and kept."
    return FormScreen(f"Set a key of {hit}", fields, _read, about=about)


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

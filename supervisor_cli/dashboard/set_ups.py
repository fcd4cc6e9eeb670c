"""Loading and saving set-up files."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from supervisor_cli import fleets, set_up_file
from supervisor_cli.acceptance import accepted
from supervisor_cli.dashboard.deeds import ACCEPTED_WITHIN_S, Now, steps
from supervisor_cli.dashboard.doing import Doing
from supervisor_cli.dashboard.forms import ConfirmScreen, Field, FormScreen, Values
from supervisor_cli.errors import SimuError
from supervisor_cli.fleets import Fleet
from supervisor_cli.outcomes import Told
from supervisor_cli.setup_plan import SetUpPlan

if TYPE_CHECKING:
    from supervisor_cli.secret_volumes import SecretStore

_KEEP: Final = ("replace", "keep")
_OVER: Final = ("keep it", "write over it")


def no_store() -> "SecretStore":
    """Refuse to keep secrets.

    Raises:
        SimuError: always.
    """
    raise SimuError("secrets cannot be kept here", hint="simuctl setup load keeps them")


class SetUps(Doing):
    """A board that loads and saves set-up files; see `Board` for the arguments.

    Args:
        open_store: keeps the secrets of charge points that have any.
    """

    def __init__(
        self, *args: Any, open_store: "Callable[[], SecretStore]" = no_store, **options: Any
    ) -> None:
        super().__init__(*args, **options)
        self.open_store = open_store
        self._last_file = "fleet.yaml"

    def action_load(self) -> None:
        """Make the fleet what a file says."""

        async def load() -> None:
            fields = [
                Field(name="file", label="file", value=self._last_file, note="YAML or JSON"),
                Field(name="keep", label="what is there", value="replace", choices=_KEEP),
            ]
            about = "Removes, starts and restarts until the fleet is what the file says."
            todo = await self.ask(FormScreen("Load a set-up", fields, self._plan, about=about))
            if todo is None:
                return
            question = ConfirmScreen(
                f"Load {self._last_file}?", todo.lines, destroys=bool(todo.destroys)
            )
            if await self.push_screen_wait(question):
                await self.do("load", [], lambda now: self._apply(todo, now))
            else:
                self.refuse("nothing was changed")

        self.run_worker(load(), name="load")

    def action_save(self) -> None:
        """Write the fleet to a file."""

        async def save() -> None:
            fields = [
                Field(name="file", label="file", value=self._last_file, note=".yaml or .json"),
                Field(name="over", label="if it is there", value="keep it", choices=_OVER),
            ]
            told = await self.ask(FormScreen("Save the set-up", fields, self._write))
            if told is not None:
                self.ended(-1, self.record("save", [told]))

        self.run_worker(save(), name="save")

    def _plan(self, values: Values) -> SetUpPlan:
        path = _path(values)
        fleet: Fleet = fleets.load_fleet(path)
        todo = fleet.plan(self.client.view, only_add=values["keep"] == "keep")
        fleets.FleetSecrets.of(todo.to_start).check()
        if not (todo.destroys or todo.to_start or todo.restart):
            raise SimuError("nothing has to be done: the fleet is as the file says")
        self._last_file = values["file"].strip()
        return todo

    async def _apply(self, todo: SetUpPlan, now: Now) -> list[Told]:
        on_step = steps(now)
        told = await fleets.apply(self.client, todo, self.open_store, on_step)
        awaited = {*(each.id for each in todo.to_start), *todo.restart}
        started = [each for each in told if each.charge_point_id in awaited]
        settled = await accepted(self.client, started, ACCEPTED_WITHIN_S, now, on_step)
        return [*(each for each in told if each.charge_point_id not in awaited), *settled]

    def _write(self, values: Values) -> Told:
        path = _path(values)
        if path.exists() and values["over"] != "write over it":
            raise SimuError(f"{path} is there already")
        wanted = set_up_file.asked_for(self.client.view)
        chosen = set_up_file.format_of(str(path))
        content = set_up_file.content_of(wanted, chosen, self.client.environment)
        set_up_file.write_file(path, content)
        self._last_file = values["file"].strip()
        secret = [each.id for each in wanted if each.secrets]
        text = f"{len(wanted)} charge points saved to {path}"
        if secret:
            text += f"; passwords, certificates and keys of {len(secret)} are not in it"
        return Told(charge_point_id="", text=text)


def _path(values: Values) -> Path:
    text = values["file"].strip()
    if not text:
        raise SimuError("which file?")
    path = Path(text).expanduser()
    if path.is_dir():
        raise SimuError(f"{path} is a directory")
    return path

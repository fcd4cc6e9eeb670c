"""Commands whose modules are imported when they are asked for: a command waits for no other."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any, ClassVar

import typer
from typer.main import get_group

from supervisor_cli.help_page import Group, put_on_page

Panel = tuple[str, Mapping[str, tuple[str, ...]]]
"""A title of the help page; the modules that have commands below it, and the commands of each."""


class LateGroup(Group):
    """A group of commands that stand in modules of `supervisor_cli.commands`.

    Each module has ``register(app: typer.Typer) -> None``.
    """

    panels: ClassVar[tuple[Panel, ...]] = ()

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return a command, or None where there is none of that name."""
        for title, modules in self.panels:
            for module, names in modules.items():
                if cmd_name in names:
                    self._load(title, module, names)
                    return super().get_command(ctx, cmd_name)
        self.list_commands(ctx)  # what was meant is looked for among all
        return None

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - as Typer calls it
        """Return the names of all commands, in the order of the help page."""
        for title, modules in self.panels:
            for module, names in modules.items():
                self._load(title, module, names)
        return [name for _, modules in self.panels for names in modules.values() for name in names]

    def _load(self, title: str, module: str, names: tuple[str, ...]) -> None:
        if names[0] in self.commands:
            return
        part = typer.Typer(pretty_exceptions_enable=False, rich_markup_mode=self.rich_markup_mode)
        import_module(f"supervisor_cli.commands.{module}").register(part)
        put_on_page(part, title)
        self.commands.update(get_group(part).commands)

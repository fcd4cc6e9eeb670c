"""What `--help` shows: commands by what they are for, and options without Python's types."""

from copy import copy
from typing import Any, TypeVar

import typer
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

C = TypeVar("C", TyperCommand, TyperGroup)


class _NamedArgument(TyperArgument):
    """An argument whose name says all: what Python makes of it is of no use to a reader."""

    def display_type_rich(self, ctx: Any) -> str | None:  # noqa: ARG002 - as Typer calls it
        """Return nothing."""
        return None


class Command(TyperCommand):
    """A command whose help page says `ID` instead of `ID <list[str]>`, `--all` without `<bool>`."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Show the help page."""
        TyperCommand.format_help(_for_readers(self, ctx), ctx, formatter)


class Group(TyperGroup):
    """The same for a group of commands."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Show the help page."""
        TyperGroup.format_help(_for_readers(self, ctx), ctx, formatter)


def put_on_page(app: typer.Typer, title: str) -> None:
    """Let the commands of `app` stand below a title of the root's help page, made for readers."""
    for command in app.registered_commands:
        command.rich_help_panel = title
        command.cls = Command
    for group in app.registered_groups:
        group.rich_help_panel = title
        group.cls = Group
        inner = group.typer_instance
        for command in inner.registered_commands if inner is not None else ():
            command.cls = Command


def _for_readers(command: C, ctx: Any) -> C:
    """Return a copy of a command that is good for its help page alone."""
    page = copy(command)
    page.params = [_named(each) for each in command.get_params(ctx)]
    page.add_help_option = False  # it is among them
    return page


def _named(parameter: Any) -> Any:
    if parameter.metavar is None and not getattr(parameter, "is_flag", False):
        return parameter
    shown = copy(parameter)
    if isinstance(shown, TyperArgument):
        shown.__class__ = _NamedArgument
    elif isinstance(shown, TyperOption) and shown.is_flag:
        shown.metavar = ""
    return shown

"""How --help looks: for people who decide, so without the types of a programming language.

Options with a value name it in capitals; flags name nothing. Variables follow one rule, which the end of each help
tells; the man pages list them.
"""

from __future__ import annotations

from typing import Any

from typer.core import TyperCommand, TyperGroup

RUNNING = "Running"
"""The panel of the options that every command has."""


class HelpfulCommand(TyperCommand):
    """A command with such a help."""

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        prefix = self.context_settings.get("auto_envvar_prefix")
        if prefix and any(param.name == "config" for param in self.params):
            self.epilog = _variables(str(prefix), self.params)

    def get_help_option(self, ctx: Any) -> Any:
        """--help, at the end of the options that every command has."""
        option: Any = super().get_help_option(ctx)
        option.rich_help_panel = RUNNING
        return option

    def get_params(self, ctx: Any) -> Any:
        """The parameters, each without its type."""
        return _shortened(super().get_params(ctx))


class HelpfulGroup(TyperGroup):
    """A command with subcommands, likewise."""

    def get_params(self, ctx: Any) -> Any:
        """The parameters, each without its type."""
        return _shortened(super().get_params(ctx))


def _no_type(**_: Any) -> None:
    """In place of a type, for an argument."""


def _shortened(params: list[Any]) -> list[Any]:
    for param in params:
        param.show_envvar = False
        if param.param_type_name == "argument":
            param.display_type_rich = _no_type
        elif param.is_flag:
            param.metavar = ""
    return params


def _variables(prefix: str, params: list[Any]) -> str:
    option = next(param for param in params if param.param_type_name == "option" and param.metavar and not param.envvar)
    return (
        f"Every option is also a variable, such as {prefix}_{str(option.name).upper()} for {option.opts[0]}, and a key "
        "in the configuration file (--config)."
    )

"""--allow and --deny in the order in which they were mixed on the command line, which the option parser forgets."""

from __future__ import annotations

from typing import Any

from mayfly_cli.helping import HelpfulCommand

RULES = "mayfly_cli.rules"
"""Where a context's `meta` keeps the list of (option name, value) of the command line."""

_NAMES = ("allow", "deny")


class OrderedCommand(HelpfulCommand):
    """A command whose context remembers its --allow and --deny options in order."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse twice: once for the order alone, once as ever."""
        values, _, order = self.make_parser(ctx).parse_args(args=list(args))
        queues = {name: iter(values.get(name) or ()) for name in _NAMES}
        ctx.meta[RULES] = [(param.name, next(queues[param.name])) for param in order if param.name in queues]
        return super().parse_args(ctx, args)

"""The first code of the command, and little of it: from here on Ctrl-C gives an exit code, also while it loads."""

from mayfly_cli import interrupts


def main() -> None:
    """The entry point: watch for Ctrl-C, then load and run the command."""
    interrupts.starting()
    from mayfly_cli.main import main as command  # noqa: PLC0415 - this is what takes time

    command()

"""The TOML file: defaults for options, one table for each program, checked by key and type before use.

A key is an option's long name without its dashes. Options that may be repeated take an array of strings, flags take
true or false, all others a string or a number. What a value means is checked as for any other source, see
`settings.Values`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

from mayfly.errors import UsageError
from mayfly_cli.places import config_directory

TABLES = ("relay", "client", "chat", "send", "receive", "broker", "pt")
_HEADINGS = ", ".join(f"[{table}]" for table in TABLES)
MAX_FILE = 1 << 20
"""Bytes; a configuration is not larger."""

_NOT_IN_FILE = frozenset({"config", "help", "install-completion", "show-completion"})


def default_path() -> Path:
    """`config.toml` in the user's configuration directory."""
    return config_directory() / "config.toml"


def load(path: Path | None, table: str, params: list[Any]) -> dict[str, Any]:
    """The defaults for one command's parameters, by parameter name.

    Without a path, the default file is read if there is one. Raises UsageError that names the file and the key.
    """
    chosen = path or default_path()
    try:
        with chosen.open("rb") as file:
            data = file.read(MAX_FILE + 1)
    except FileNotFoundError:
        if path is None:
            return {}
        raise UsageError(f"There is no configuration file {chosen}.", hint="Give --config another path.") from None
    except OSError as error:
        raise UsageError(
            f"The configuration file {chosen} cannot be read: {error.strerror or 'unknown reason'}.",
            hint="Make it readable, or give --config another path.",
        ) from None
    return _Checker(chosen, table, params).defaults(_parse(chosen, data))


def _parse(path: Path, data: bytes) -> dict[str, Any]:
    import tomllib  # noqa: PLC0415 - `mayfly --help` must not pay for it

    if len(data) > MAX_FILE:
        raise UsageError(f"The configuration file {path} is larger than 1 MiB.", hint="Give --config another path.")
    try:
        return tomllib.loads(data.decode("utf-8"))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise UsageError(f"{path} is not TOML: {error}.", hint="Correct the file.") from None
    except UnicodeDecodeError:
        raise UsageError(f"{path} is not TOML: it is not UTF-8 text.", hint="Correct the file.") from None


class _Checker:
    def __init__(self, path: Path, table: str, params: list[Any]) -> None:
        self._path = path
        self._table = table
        self._options = {
            str(param.opts[0]).removeprefix("--"): param
            for param in params
            if param.param_type_name == "option" and str(param.opts[0]).startswith("--")
        }

    def defaults(self, content: dict[str, Any]) -> dict[str, Any]:
        unknown = sorted(set(content) - set(TABLES))
        if unknown:
            raise UsageError(f"{self._path}: {unknown[0]!r} is unknown.", hint=f"Keys stand under {_HEADINGS}.")
        table: object = content.get(self._table, {})
        if not isinstance(table, dict):
            raise UsageError(f"{self._path}: {self._table!r} is not a table.", hint=f"Write [{self._table}].")
        entries = cast("dict[str, Any]", table)
        return {self._param(key).name: self._checked(key, value) for key, value in entries.items()}

    def _param(self, key: str) -> Any:
        if key not in self._options or key in _NOT_IN_FILE:
            raise UsageError(
                f"{self._path}: the key {key!r} of [{self._table}] is unknown.",
                hint=f"`mayfly {self._table} --help` lists the options; a key is one without its dashes.",
            )
        return self._options[key]

    def _checked(self, key: str, value: object) -> object:
        param = self._options[key]
        if param.multiple:
            right = _is_strings(value)
            wanted = "an array of strings"
        elif param.is_flag:
            right, wanted = isinstance(value, bool), "true or false"
        else:
            right = isinstance(value, str | int | float) and not isinstance(value, bool)
            wanted = "a string or a number"
            value = str(value)
        if not right:
            raise UsageError(
                f"{self._path}: the key {key!r} of [{self._table}] is not {wanted}.", hint="Correct the file."
            )
        return value


def _is_strings(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in cast("list[object]", value))

"""The documents say what the code does: tables, options, links, names of files and tests are held against it."""

from __future__ import annotations

import re
import shlex
import tomllib
from enum import IntEnum
from pathlib import Path

import pytest

from mayfly.errors import ErrorCode, ExitCode, StreamCode
from mayfly.rendezvous.messages import STATUS, ErrorName
from mayfly.wire import frames, hello
from mayfly.wire.header import Service
from mayfly_broker.routes import ROUTES
from mayfly_cli import configfile
from mayfly_cli.main import app
from support.command_line import commands, options
from support.documents import SOURCES, numbered, plain, read, rows, section
from support.pages import every_block
from support.programs import ROOT

MARKDOWN = sorted(
    path
    for path in ROOT.rglob("*.md")
    if not any(part.startswith(".") or part in ("build", "dist") for part in path.relative_to(ROOT).parts)
)

OTHER_PROGRAMS = {"--proxy", "--proxy-server", "--only"}
"""Options in the pages that are curl's, Chromium's and the bench's."""

MENTIONED_NOWHERE = {"--help"}


EVERY_OPTION = {name for command in commands() for name in options(command)}


# README


def test_the_help_names_every_exit_code() -> None:
    assert app.info.epilog is not None
    assert re.findall(r"\d+", str(app.info.epilog)) == [str(code.value) for code in ExitCode]


def test_every_option_on_a_page_exists_and_every_option_is_on_one() -> None:
    pages = ("README.md", "relay/README.md", "client/README.md", "broker_optional/README.md")
    shown = {option for page in pages for option in re.findall(r"(?<![\w-])--[a-z][a-z-]*", read(page))}
    assert shown - OTHER_PROGRAMS - EVERY_OPTION == set()
    assert EVERY_OPTION - shown - MENTIONED_NOWHERE == set()


SHOWN = sorted({command for block in every_block() for command in block.commands if "mayfly " in command})


@pytest.mark.parametrize("line", SHOWN)
def test_every_command_line_can_be_parsed(line: str) -> None:
    call = re.search(r"(?:^|\| |=\S+ )mayfly ([^|]*)", line)
    if call is None:
        return
    words = shlex.split(re.sub(r"[<>].*|\s&.*", "", call[1]), comments=True)
    command = "code inspect" if words[:1] == ["code"] else words[0] if words[0] in commands() else ""
    context = commands()[command]
    arguments = words[len(command.split()) :]
    shown = {word.partition("=")[0] for word in arguments if word.startswith("--")}
    assert shown <= options(command), line
    if command:
        context.make_parser(context.context_class(context)).parse_args(args=list(arguments))


def test_every_variable_in_the_readme_exists() -> None:
    known = {"MAYFLY_CONFIG", "MAYFLY_DEBUG"}
    for command in commands():
        if command:
            prefix = "MAYFLY_" + command.replace(" ", "_").upper()
            names = {name.removeprefix("--").replace("-", "_").upper() for name in options(command)}
            known |= {f"{prefix}_{name}" for name in names}
    shown = set(re.findall(r"MAYFLY_\w+", read("README.md"))) - {"MAYFLY_"}
    assert shown <= known


def test_the_configuration_file_of_the_readme_is_accepted(tmp_path: Path) -> None:
    block = re.search(r"^```toml\n(.*?)^```", read("README.md"), re.MULTILINE | re.DOTALL)
    assert block
    path = tmp_path / "config.toml"
    path.write_text(block[1])
    for table, content in tomllib.loads(block[1]).items():
        assert len(configfile.load(path, table, list(commands()[table].params))) == len(content)


def test_every_default_of_the_relay_s_page_is_the_help_s() -> None:
    relay = {opt: str(param.help) for param in commands()["relay"].params for opt in param.opts}
    limits = {cells[0].partition("`,")[0]: cells[1] for cells in rows(section(read("relay/README.md"), "## Limits"))}
    shown = {plain(option): plain(default) for option, default in limits.items() if option.startswith("`--")}
    assert len(shown) == 8
    for option, default in shown.items():
        assert f"Default: {default}." in relay[option]


def test_every_message_of_the_readme_is_in_the_code() -> None:
    code = "\n".join(path.read_text(encoding="utf-8") for path in SOURCES)
    for message, _ in rows(section(read("README.md"), "## Troubleshooting")):
        said = plain(message)
        assert said in code or said[0].lower() + said[1:] in code  # people.sentence has given it a capital


# core/PROTOCOL.md


def frame_types() -> dict[str, int]:
    """The frame types of the codec, but for STREAM, which has a range."""
    no_type = {"STREAM", "STREAM_LAST", "STREAM_FIN", "STREAM_LEN", "STREAM_OFF", "STREAM_OVERHEAD", "OPAQUE_SIZE"}
    named = {name: value for name, value in vars(frames).items() if name.isupper() and isinstance(value, int)}
    return {name: value for name, value in named.items() if not name.startswith("_") and name not in no_type}


@pytest.mark.parametrize(
    ("heading", "kind"), [("## Error codes", ErrorCode), ("## Stream codes", StreamCode)], ids=["errors", "streams"]
)
def test_the_protocol_s_codes_are_the_enumerations(heading: str, kind: type[IntEnum]) -> None:
    assert numbered(heading) == {member.name: member.value for member in kind}


def test_the_protocol_s_services_are_the_enumeration() -> None:
    assert numbered("## Services") == {member.name.lower(): member.value for member in Service}


def test_the_protocol_s_frames_are_the_codec_s() -> None:
    assert numbered("## Frames") == frame_types()
    streams = rf"^\| 0x{frames.STREAM:02x}-0x{frames.STREAM_LAST:02x} \| STREAM \|"
    assert re.search(streams, read("core/PROTOCOL.md"), re.MULTILINE)


def test_the_protocol_s_hello_keys_are_the_codec_s() -> None:
    assert numbered("## HELLO") == {
        key.name.lower().replace("session_id", "session id"): key.value for key in hello._Key
    }


def test_the_protocol_s_refusals_are_the_table() -> None:
    documented: dict[str, set[int]] = {}
    for statuses, names in rows(section(read("core/PROTOCOL.md"), "### Refusals")):
        for name in re.findall(r"`([a-z-]+)`", names):
            documented[name] = {int(status) for status in statuses.split(", ")}
    assert set(documented) == {name.value for name in ErrorName}
    assert all(STATUS[ErrorName(name)] in statuses for name, statuses in documented.items())


def test_the_protocol_s_broker_paths_are_the_routes() -> None:
    shown = set(
        re.findall(r"`(GET|POST|PATCH|DELETE) (/[\w/{}.]*)", section(read("core/PROTOCOL.md"), "## The broker"))
    )
    assert shown == {(route.method, route.path) for route in ROUTES} | {("GET", "/openapi.json"), ("GET", "/metrics")}


# All documents


def anchors(path: Path) -> set[str]:
    """The fragments by which a Markdown file's headings can be linked to."""
    headings = re.findall(r"^#+ (.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("path", MARKDOWN, ids=[path.relative_to(ROOT).as_posix() for path in MARKDOWN])
def test_no_relative_link_is_broken(path: Path) -> None:
    text = re.sub(r"^```.*?^```", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, fragment = link.partition("#")
        target = (path.parent / name).resolve() if name else path
        assert target.exists(), f"{link} leads nowhere"
        assert not fragment or fragment in anchors(target), f"{link} leads to no heading"


@pytest.mark.parametrize("document", ["core/ARCHITECTURE.md", "core/PROTOCOL.md", "core/THREATS.md", "CONTRIBUTING.md"])
def test_every_file_and_test_that_is_named_exists(document: str) -> None:
    text = read(document)
    for name in set(re.findall(r"`((?:core|relay|client|broker_optional|tests)/[\w/.]+)`", text)):
        assert (ROOT / name).exists(), f"{name} does not exist"
    for name in set(re.findall(r"`(\w+\.py)`", text)):  # of a folder that the sentence has named
        assert any(path.name == name for path in SOURCES), f"there is no {name}"
    tests = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    for name in set(re.findall(r"`(test_\w+)`", text)):
        assert f"def {name}(" in tests, f"there is no test {name}"

"""Names from a peer: each trap by name, and properties that hold for any text."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mayfly.files.names import (
    MAX_NAME,
    ROOM,
    Change,
    Namespace,
    UnsafeNameError,
    collision_key,
    safe_name,
    safe_target,
    shortened,
)
from support.costs import assert_linear

C0_AND_C1 = [chr(code) for code in (*range(1, 0x20), *range(0x7F, 0xA0))]
BIDI = [*"\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"]
INVISIBLE = [*"\u00ad\u200b\u2028\u2029\u2060\ufeff\u3164\u115f\U000e0041\ud800"]

names = st.text(max_size=40) | st.sampled_from(["con", "a.b", "x. .", "C:", "é", "e\u0301"]) | st.text(min_size=90)


@pytest.mark.parametrize("name", ["", ".", "..", "/etc/passwd", "a/b", "/", "../x", "a\0b", "\0"])
def test_what_can_only_be_a_path_is_refused(name: str) -> None:
    with pytest.raises(UnsafeNameError):
        safe_name(name)


@pytest.mark.parametrize(
    ("name", "safe", "change"),
    [
        ("C:", "C_", Change.DRIVE),
        ("c:windows", "c_windows", Change.DRIVE),
        ("a\\b", "a_b", Change.SEPARATOR),
        ("\\\\host\\share", "__host_share", Change.SEPARATOR),
        ("..\\x", ".._x", Change.SEPARATOR),
        ("file.", "file_", Change.TAIL),
        ("file. . ", "file_", Change.TAIL),
        (" ", "_", Change.TAIL),
        ("...", "_", Change.TAIL),
        ("con", "_con", Change.RESERVED),
        ("NUL.txt", "_NUL.txt", Change.RESERVED),
        ("aux :stream", "_aux :stream", Change.RESERVED),
        ("com9.tar.gz", "_com9.tar.gz", Change.RESERVED),
        ("LPT\u00b2", "_LPT\u00b2", Change.RESERVED),
        ("CONIN$", "_CONIN$", Change.RESERVED),
    ],
)
def test_each_trap_is_made_safe_with_its_reason(name: str, safe: str, change: Change) -> None:
    found = safe_name(name)
    assert (found.name, found.changes) == (safe, (change,))


@pytest.mark.parametrize("char", C0_AND_C1 + BIDI + INVISIBLE)
def test_no_invisible_character_stays(char: str) -> None:
    assert safe_name(f"a{char}b.txt").name == "a_b.txt"
    assert safe_name(f"a{char}b.txt").changes == (Change.INVISIBLE,)


@pytest.mark.parametrize(
    "name",
    [
        *("a", "a.txt", ".bashrc", "-rf", "12:30 notes.txt", "what?.md", "a b", "console", "com10", "..a", "a..b"),
        *(
            "gr\u00fc\u00dfe.txt",
            "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
            "\U0001f468\u200d\U0001f469\u200d\U0001f467.png",
            "\u2764\ufe0f",
        ),
        "x" * MAX_NAME,
    ],
)
def test_ordinary_names_stay_as_they_are(name: str) -> None:
    assert safe_name(name).name == name
    assert safe_name(name).changes == ()


def test_a_long_name_keeps_its_extension() -> None:
    long = safe_name("\u00e9" * 200 + ".jpeg")
    assert long.name.endswith("\u00e9.jpeg")
    assert len(long.name.encode()) in (MAX_NAME - 1, MAX_NAME)
    assert long.changes == (Change.TOO_LONG,)
    assert safe_name("y" * MAX_NAME, 10).name == "y" * (MAX_NAME - 10)
    assert safe_name("a." + "y" * 300).name == "a." + "y" * 253


@pytest.mark.parametrize("tail", [" ", "."])
def test_what_a_cut_leaves_at_the_end_is_no_trap_either(tail: str) -> None:
    cut = safe_name("a" * (MAX_NAME - 1) + tail + "b" * 60)
    assert len(cut.name.encode()) <= MAX_NAME
    assert not cut.name.endswith(tail)


@given(name=names, room=st.sampled_from([0, ROOM]))
def test_any_text_gives_one_plain_component_or_is_refused(name: str, room: int) -> None:
    try:
        safe = safe_name(name, room)
    except UnsafeNameError:
        assert not name or name in (".", "..") or "/" in name or "\0" in name
        return
    assert safe.name
    assert safe.name not in (".", "..")
    assert not set(safe.name) & {"/", "\\", "\0"}
    assert not any(unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp") for char in safe.name)
    assert len(safe.name.encode()) <= MAX_NAME - room
    assert safe.name == safe.name.rstrip(". ")
    assert (safe.name == name) == (not safe.changes)
    assert safe_name(safe.name, room).changes == ()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a.txt", "A.TXT"),
        ("stra\u00dfe", "STRASSE"),
        ("caf\u00e9", "cafe\u0301"),
        ("\u212b", "\u00e5"),
        ("\u1e9b\u0323", "\u1e61\u0323"),
        ("a\u200db", "ab"),
        *((f"a{selector}", "a") for selector in "\u180b\ufe00\ufe0f\U000e0100\U000e01ef"),
        ("\u2764\ufe0f", "\u2764"),
        ("\u03a3\u03a3", "\u03c3\u03c2"),
    ],
)
def test_twins_collide(one: str, other: str) -> None:
    assert collision_key(one) == collision_key(other)
    names = Namespace()
    assert names.claim(one).name == one
    second = names.claim(other)
    assert Change.COLLISION in second.changes
    assert collision_key(second.name) != collision_key(one)


def test_a_renamed_twin_keeps_its_extension_and_is_itself_taken() -> None:
    names = Namespace()
    claimed = [names.claim(name).name for name in ("a-2.txt", "a.txt", "A.txt", "A.TXT", "a", "A")]
    assert claimed == ["a-2.txt", "a.txt", "A-3.txt", "A-4.TXT", "a", "A-2"]


@pytest.mark.parametrize(
    ("first", "second"), [("a", "a.part"), ("a.part", "a"), ("a", "A.PART.json"), ("a.part.json", "a")]
)
def test_a_name_is_not_the_part_of_another(first: str, second: str) -> None:
    names = Namespace()
    assert names.claim(first).changes == ()
    assert names.claim(second).changes == (Change.COLLISION,)


@given(
    asked=st.lists(st.sampled_from(["a", "A", "a.part", "b", "a-2", "con", "e\u0301", "\u00e9", "x" * 255, "X" * 255]))
)
def test_names_of_one_directory_are_all_different_and_always_the_same(asked: list[str]) -> None:
    def claimed() -> list[str]:
        names = Namespace()
        return [names.claim(name).name for name in asked]

    found = claimed()
    assert found == claimed()
    assert len({collision_key(name) for name in found}) == len(found)
    assert all(len(name.encode()) <= MAX_NAME - ROOM for name in found)


def test_many_twins_take_linear_time() -> None:
    def claim(count: int) -> None:
        names = Namespace()
        assert len({names.claim("a" + "\u200d" * (n % 40)).name for n in range(count)}) == count

    assert_linear(claim, 150)


def test_a_suffix_never_makes_a_name_too_long() -> None:
    assert shortened("x" * 300, 20, "-12345") == "x" * 14 + "-12345"
    assert shortened("x" * 300 + ".txt", 20, "-2") == "x" * 14 + "-2.txt"


@pytest.mark.parametrize(
    ("target", "path"),
    [
        ("sibling", ("top", "link")),
        ("./a/b", ("top", "link")),
        ("../other/x", ("top", "sub", "link")),
        ("..", ("top", "sub", "link")),
        ("a", ("link",)),
        ("../../x", ("top", "a", "b", "link")),
    ],
)
def test_a_link_inside_is_kept(target: str, path: tuple[str, ...]) -> None:
    assert safe_target(target, path) == target


@pytest.mark.parametrize(
    ("target", "path"),
    [
        ("/etc/passwd", ("top", "link")),
        ("..", ("top", "link")),
        ("../x", ("link",)),
        ("../../x", ("top", "sub", "link")),
        ("x/../../..", ("top", "sub", "sub", "link")),
        ("./.././..", ("top", "sub", "link")),
        ("C:\\x", ("top", "link")),
        ("c:x", ("top", "link")),
        ("a\0b", ("top", "link")),
        ("a\u202eb", ("top", "link")),
        ("a\x1b[2J", ("top", "link")),
    ],
)
def test_a_link_that_could_leave_is_refused(target: str, path: tuple[str, ...]) -> None:
    with pytest.raises(UnsafeNameError):
        safe_target(target, path)

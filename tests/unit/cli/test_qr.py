"""QR codes on a terminal."""

from __future__ import annotations

import io

import segno
from rich.console import Console

from mayfly_cli import qr

TEXT = "MF1" + "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L" * 4


def test_the_picture_holds_exactly_the_modules_of_the_code() -> None:
    picture = qr.render(TEXT, 80)
    assert picture is not None
    bits = {" ": (1, 1), "\u2584": (1, 0), "\u2580": (0, 1), "\u2588": (0, 0)}  # dark is 1, and not drawn
    rows: list[list[int]] = []
    for line in picture.plain.splitlines():
        pairs = [bits[cell] for cell in line]
        rows += [[upper for upper, _ in pairs], [lower for _, lower in pairs]]
    code = segno.make(TEXT, error="l", micro=False)
    expected = [list(row) for row in code.matrix_iter(border=qr.BORDER)]
    assert rows[: len(expected)] == expected
    assert code.mode == "alphanumeric"


def test_it_fits_a_terminal_of_80_by_24() -> None:
    picture = qr.render(TEXT, 80)
    assert picture is not None
    assert len(picture.plain.splitlines()) <= 24


def test_a_narrow_terminal_gets_none() -> None:
    picture = qr.render(TEXT, 200)
    assert picture is not None
    width = len(picture.plain.splitlines()[0])
    assert qr.render(TEXT, width) is not None
    assert qr.render(TEXT, width - 1) is None


def test_both_colours_are_set_so_that_any_terminal_theme_will_do() -> None:
    out = io.StringIO()
    picture = qr.render("MF1TEST", 80)
    Console(file=out, force_terminal=True, color_system="truecolor", width=80).print(picture)
    assert "38;2;255;255;255" in out.getvalue()
    assert "48;2;0;0;0" in out.getvalue()

"""The table of speeds in core/CLAIMS.md, from the kept results: `python -m bench.page` writes it.

tests/unit/bench/test_page.py holds that page to the results, so whoever keeps new ones writes the page as well.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.families import all_families
from bench.keep import LATEST, RESULTS

PAGE = Path(__file__).resolve().parents[2] / "core" / "CLAIMS.md"
BEGIN, END = (
    "<!-- speed: `python -m bench.page` writes what follows from tests/bench/results -->\n",
    "<!-- /speed -->\n",
)


def table(results: Path = RESULTS) -> str:
    """All promises that were measured, by the file that holds them."""
    lines = ["", "| promise | found | bound | samples | kept in |", "|---|---|---|---|---|"]
    for path in sorted(results.glob("*.json")):
        if path.stem == LATEST:
            continue
        result = json.loads(path.read_text())
        machine = result["machine"]
        source = f"[{path.stem}](../tests/bench/results/{path.name}), {result['when'][:10]}, {machine['cores']} cores"
        lines += [f"{row} | {source} |" for row in _rows(result)]
    return "\n".join([*lines, "", ""])


def _rows(result: dict[str, Any]) -> Iterator[str]:
    bars = {bar.promise: bar for family in all_families() for bar in family.bars}
    for each in result["promises"]:
        bar = bars.get(each["promise"])
        if bar is None or each["found"] is None:
            continue  # a promise of another time, or not measured
        sign = "at most" if bar.at_most else "at least"
        missed = "" if each["kept"] else ", **missed**"
        found, bound = f"{each['found']:.2f}{bar.unit}{missed}", f"{sign} {each['bound']:g}{bar.unit}"
        yield f"| {bar.promise} | {found} | {bound} | {each.get('samples', '')}"


def written(page: str, rows: str) -> str:
    """The page with these rows between its marks."""
    before, found, rest = page.partition(BEGIN)
    _, ended, after = rest.partition(END)
    if not found or not ended:
        raise ValueError("the page has no marks for the table")
    return before + BEGIN + rows + END + after


def main() -> None:
    """Write it."""
    PAGE.write_text(written(PAGE.read_text(), table()))


if __name__ == "__main__":
    main()

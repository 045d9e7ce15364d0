"""The list of entries: what is renamed, left out, refused, and what it costs."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mayfly.config import FilesConfig
from mayfly.files.fields import FilesError
from mayfly.files.manifest import LeftOut, Manifest, RefusedError
from mayfly.files.names import Change, collision_key
from mayfly.files.records import Entry, EntryType, Kind, Offer, Reason
from support.costs import grown
from unit.files.pair import directory, file, offer_of
from unit.files.strategies import offers

CONFIG = FilesConfig()


def link(index: int, path: str, target: str) -> Entry:
    return Entry(index, tuple(path.split("/")), EntryType.SYMLINK, 0, 0, target=target)


def listed(*entries: Entry, config: FilesConfig = CONFIG, kind: Kind = Kind.MIXED) -> Manifest:
    """A manifest of these, whole."""
    manifest = Manifest(offer_of(list(entries), kind), config)
    for entry in entries:
        manifest.add(entry)
    manifest.finish()
    return manifest


def paths(manifest: Manifest) -> list[str]:
    return ["/".join(entry.path) for entry in manifest.entries]


def test_entries_keep_what_is_harmless() -> None:
    entries = [directory(0, "top"), file(1, "top/a", 5), directory(2, "top/sub"), link(3, "top/sub/l", "../a")]
    manifest = listed(*entries)
    assert manifest.entries == entries
    assert (manifest.total, manifest.changes, list(manifest.files())) == (5, 0, [1])


def test_a_renamed_directory_takes_its_content_with_it() -> None:
    manifest = listed(directory(0, "Top"), directory(1, "top"), file(2, "top/ab:c.", 1), file(3, "Top/a", 1))
    assert paths(manifest) == ["Top", "top-2", "top-2/ab:c_", "Top/a"]
    assert [renaming.changes for renaming in manifest.renamed] == [(Change.COLLISION,), (Change.TAIL,)]
    assert manifest.renamed[1].asked == ("top", "ab:c.")


def test_a_file_of_unknown_size_makes_the_total_unknown() -> None:
    assert listed(file(0, "a", None), file(1, "b", 3)).total is None
    assert listed(file(0, "-", None), kind=Kind.STDIN).total is None


def test_a_link_that_could_leave_is_left_out_and_said() -> None:
    manifest = listed(directory(0, "top"), link(1, "top/bad", "/etc"), link(2, "top/good", "x"))
    assert [entry.target for entry in manifest.entries] == ["", "", "x"]
    assert manifest.left_out == [LeftOut(("top", "bad"), "its target is an absolute path")]
    assert manifest.changes == 1


@pytest.mark.parametrize(
    "entries",
    [
        [file(1, "a", 1)],
        [file(0, "top/a", 1)],
        [directory(0, "top"), file(1, "top", 1), file(2, "top/x/y", 1)],
        [file(0, "top", 1), file(1, "top/a", 1)],
        [link(0, "top", "elsewhere"), file(1, "top/a", 1)],
        [directory(0, "top"), directory(1, "top")],
    ],
    ids=["index", "no parent", "no deeper parent", "below a file", "below a link", "twice"],
)
def test_entries_that_break_the_rules(entries: list[Entry]) -> None:
    with pytest.raises(FilesError):
        listed(*entries)


@pytest.mark.parametrize("name", ["..", "", ".", "a\0"])
@pytest.mark.parametrize("kind", EntryType)
def test_a_name_that_is_a_path_refuses_the_whole(name: str, kind: EntryType) -> None:
    with pytest.raises(RefusedError) as caught:
        listed(directory(0, "top"), Entry(1, ("top", name), kind, 0, 0, target="x"))
    assert caught.value.reason is Reason.BAD_NAME


@pytest.mark.parametrize(
    ("limits", "entries"),
    [
        ({"max_entries": 1}, [file(0, "a", 1), file(1, "b", 1)]),
        ({"max_manifest": 60}, [file(0, "a", 1), file(1, "b", 1)]),
        ({"max_depth": 1}, [directory(0, "a"), directory(1, "a/b"), file(2, "a/b/c", 1)]),
        ({"max_path": 255}, [file(0, "a" * 256, 1)]),
        ({"max_path": 255}, [link(0, "a", "b" * 256)]),
    ],
)
def test_limits(limits: dict[str, int], entries: list[Entry]) -> None:
    listed(*entries)
    with pytest.raises(RefusedError) as caught:
        listed(*entries, config=replace(CONFIG, **limits))
    assert caught.value.reason is Reason.LIMIT


def test_names_that_grow_by_being_made_safe_stay_below_the_limit() -> None:
    config = replace(CONFIG, max_path=255)

    def nested(depth: int) -> list[Entry]:
        return [directory(n, "/".join(["con"] * (n + 1))) for n in range(depth)]

    assert len(paths(listed(*nested(51), config=config))[-1]) == 254
    with pytest.raises(RefusedError) as caught:
        listed(*nested(52), config=config)
    assert caught.value.reason is Reason.LIMIT


def test_a_list_that_is_not_what_was_offered() -> None:
    entries = [file(0, "a", 1), file(1, "b", 1)]
    offer = offer_of(entries)
    for wrong in (replace(offer, entries=3), replace(offer, total=3), replace(offer, total=None)):
        manifest = Manifest(wrong, CONFIG)
        for entry in entries:
            manifest.add(entry)
        with pytest.raises(FilesError):
            manifest.finish()
    short = Manifest(replace(offer, entries=1), CONFIG)
    short.add(entries[0])
    with pytest.raises(FilesError):
        short.add(entries[1])


def test_a_text_is_one_small_file() -> None:
    listed(file(0, "text", 5), kind=Kind.TEXT)
    for entries in ([file(0, "text", None)], [file(0, "text", CONFIG.max_text + 1)]):
        with pytest.raises(RefusedError):
            listed(*entries, kind=Kind.TEXT)
    for kind in (Kind.TEXT, Kind.STDIN):
        with pytest.raises(FilesError):
            listed(file(0, "a", 1), file(1, "b", 1), kind=kind)
        with pytest.raises(FilesError):
            listed(directory(0, "a"), kind=kind)


def test_files_alone_are_files_alone() -> None:
    listed(file(0, "a", 1), file(1, "b", 1), kind=Kind.FILES)
    for other in (directory(1, "d"), Entry(1, ("l",), EntryType.SYMLINK, 0, 0, target="a")):
        with pytest.raises(FilesError, match="among files"):
            listed(file(0, "a", 1), other, kind=Kind.FILES)


def test_only_the_first_changes_keep_their_words() -> None:
    config = replace(CONFIG, max_changes=2)
    manifest = listed(*[file(n, f"a{n}.", 0) for n in range(5)], config=config)
    assert (manifest.changes, len(manifest.renamed)) == (5, 2)


components = st.sampled_from(["a", "A", "a.part", "con", "x.", "..", "é", "e\u0301", "b\\c", "C:"])
drawn = st.builds(
    lambda path, kind, target: (path, kind, target),
    st.lists(components, min_size=1, max_size=3).map(tuple),
    st.sampled_from(EntryType),
    st.sampled_from(["x", "..", "/", "../.."]),
)


grown_tree = st.lists(st.tuples(st.integers(0, 5), components, st.sampled_from(EntryType)), max_size=12)


def tree(drawn: list[tuple[int, str, EntryType]]) -> list[tuple[tuple[str, ...], EntryType, str]]:
    """Entries of which each stands in a folder that was listed before."""
    folders: list[tuple[str, ...]] = [()]
    entries: list[tuple[tuple[str, ...], EntryType, str]] = []
    for parent, name, kind in drawn:
        path = (*folders[parent % len(folders)], name)
        folders += [path] if kind is EntryType.DIRECTORY else []
        entries.append((path, kind, "x"))
    return entries


@given(offer=offers, entries=st.lists(drawn, max_size=12) | grown_tree.map(tree), honest=st.booleans())
def test_whatever_is_listed_is_unique_and_below_the_target(
    offer: Offer, entries: list[tuple[tuple[str, ...], EntryType, str]], honest: bool
) -> None:
    if honest:
        offer = replace(offer, kind=Kind.MIXED, total=0, entries=len(entries))
    try:
        manifest = Manifest(offer, CONFIG)
        for index, (path, kind, target) in enumerate(entries):
            manifest.add(Entry(index, path, kind, 0, 0, target=target if kind is EntryType.SYMLINK else ""))
        manifest.finish()
    except (FilesError, RefusedError):
        pass
    else:
        assert len(entries) == offer.entries
        keys = {tuple(collision_key(part) for part in entry.path) for entry in manifest.entries}
        assert len(keys) == len(manifest.entries)
        directories = {entry.path for entry in manifest.entries if entry.type is EntryType.DIRECTORY} | {()}
        assert all(entry.path[:-1] in directories for entry in manifest.entries)


@pytest.mark.parametrize("kind", [EntryType.FILE, EntryType.DIRECTORY])
def test_an_entry_costs_what_the_configuration_says(kind: EntryType) -> None:
    count = 2000
    offer = Offer(bytes(16), Kind.DIRECTORY, "d", 0, count + 1)
    manifest = Manifest(offer, CONFIG)
    manifest.add(directory(0, "d"))

    def fill() -> None:
        for index in range(1, count + 1):
            manifest.add(Entry(index, ("d", f"f{index:04}"), kind, 0, 1 << 60))

    cost = grown(fill)[0] / count
    assert cost < CONFIG.entry_memory, f"{cost:.0f} bytes an entry"
    assert cost > CONFIG.entry_memory / 4

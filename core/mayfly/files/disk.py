"""What the two machines ask of the disk, and what the disk says.

Requests come out in an order, and are carried out in that order: any number of them may be taken and done in one go
in one thread. Each gives exactly one result, in the same order, but for `CloseSource` and `CloseTarget`, which are the
last and give none. **After a `Failed` result everything behind it but the closing request is skipped, without a
result.** A closing request may come while results are still due; they may be given to the machine or not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from mayfly.files.records import Buffer, Reason

if TYPE_CHECKING:
    from mayfly.files.manifest import Manifest

# The sender's disk


@dataclass(frozen=True, slots=True)
class HashPrefix:
    """BLAKE3 of the file's first `offset` bytes, and of its state there: a Read goes on from it. -> PrefixHashed"""

    index: int
    offset: int


@dataclass(frozen=True, slots=True)
class Read:
    """`size` bytes at `offset`, at most BLOCK, hashed on top of what was read before them. -> BlockRead

    Offset 0 starts the hash anew; any other is where the last Read or HashPrefix of this file ended. `last` says that
    the file should end there: then look whether the source is still what was scanned. A file of unknown size is read
    one Read at a time and `last` is false; fewer bytes may be given, but none only at its end. Failures are
    SOURCE_CHANGED and SOURCE_FAILED.
    """

    index: int
    offset: int
    size: int
    last: bool


@dataclass(frozen=True, slots=True)
class CloseSource:
    """The last request: close what is open."""


@dataclass(frozen=True, slots=True)
class PrefixHashed:
    """The digest that was asked for; empty when the source is shorter, or cannot go back."""

    index: int
    digest: bytes


@dataclass(frozen=True, slots=True)
class BlockRead:
    """Bytes of the file and BLAKE3 of all of it up to their end. `ended` says that nothing is behind them.

    With a known size there are exactly as many bytes as asked for, and `ended` is the request's `last`.
    """

    index: int
    data: Buffer
    digest: bytes
    ended: bool


# The receiver's disk


@dataclass(frozen=True, slots=True)
class Prepare:
    """The whole manifest, with safe paths: look what is there from before, and whether the rest has room. -> Prepared

    Make the directories. Failures: EXISTS for a target that may not be replaced, DISK_FULL, DISK_FAILED.
    """

    manifest: Manifest


@dataclass(frozen=True, slots=True)
class WriteBlock:
    """Hash `data` on top of the file's running hash, compare with `digest`, write at `offset`. -> BlockWritten

    Offset 0 starts the file and its hash anew, and drops an older part. Any other offset is where the last WriteBlock
    of this file ended, or what Prepared said. Failures: WRONG_HASH (nothing is written), DISK_FULL, DISK_FAILED.
    """

    index: int
    offset: int
    data: tuple[Buffer, ...]
    size: int
    """Bytes of `data`, all pieces together: at most BLOCK."""
    digest: bytes


@dataclass(frozen=True, slots=True)
class FinishFile:
    """As WriteBlock with the file's last bytes (often none), then fsync and give it its name. -> FileFinished

    Whether a directory's files get theirs now or at Commit is the disk side's choice. Also EXISTS may come out.
    """

    index: int
    offset: int
    data: tuple[Buffer, ...]
    size: int
    digest: bytes


@dataclass(frozen=True, slots=True)
class Commit:
    """All files are finished: links, times of directories, final names, and the journal's end. -> Committed"""


@dataclass(frozen=True, slots=True)
class CloseTarget:
    """The last request: close what is open. With `keep` parts and journal stay for another time, else they go.

    Without a Prepare before it there is nothing to do.
    """

    keep: bool


@dataclass(frozen=True, slots=True)
class Part:
    """How much of a file is there: a multiple of BLOCK, or the file's size; and its BLAKE3."""

    offset: int
    digest: bytes


@dataclass(frozen=True, slots=True)
class Prepared:
    """What was found: files that are whole, and parts by index. A file in neither is wanted from its start."""

    whole: frozenset[int] = frozenset()
    parts: Mapping[int, Part] = field(default_factory=dict[int, Part])


@dataclass(frozen=True, slots=True)
class BlockWritten:
    """A WriteBlock is done."""

    index: int


@dataclass(frozen=True, slots=True)
class FileFinished:
    """A FinishFile is done."""

    index: int


@dataclass(frozen=True, slots=True)
class Committed:
    """Everything is in its place."""


# Both


@dataclass(frozen=True, slots=True)
class Failed:
    """The request could not be carried out; the transfer ends with this reason."""

    reason: Reason


SendRequest: TypeAlias = HashPrefix | Read | CloseSource
SendResult: TypeAlias = PrefixHashed | BlockRead | Failed
ReceiveRequest: TypeAlias = Prepare | WriteBlock | FinishFile | Commit | CloseTarget
ReceiveResult: TypeAlias = Prepared | BlockWritten | FileFinished | Committed | Failed

"""Steps on a file system that either happen whole or not at all, and never leave the folder they were given.

Every call blocks and takes the descriptor of a folder, so that a name is looked up below that folder alone: a symbolic
link on the way is refused, never followed.
"""

from __future__ import annotations

import ctypes
import errno
import os
import stat
import sys
from collections.abc import Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

_RENAME_NOREPLACE = 1
_UNKNOWN = {errno.ENOSYS, errno.EINVAL, errno.ENOTSUP}
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def _system_call(name: str, *arguments: Any) -> Callable[..., int] | None:
    """A function of the C library that Python has no name for; None where there is none."""
    if not sys.platform.startswith("linux"):
        return None
    function = getattr(ctypes.CDLL(None, use_errno=True), name, None)
    if function is None:
        return None
    function.argtypes, function.restype = arguments, ctypes.c_int
    return cast("Callable[..., int]", function)


_renameat2 = _system_call("renameat2", ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_uint)
_syncfs = _system_call("syncfs", ctypes.c_int)


@contextmanager
def folder(root: int, parts: Sequence[str], *, create: bool = False) -> Generator[int]:
    """The descriptor of the folder `parts` below `root`, made on the way if asked. Raises OSError (ELOOP or ENOTDIR at
    a symbolic link)."""
    here = os.dup(root)
    try:
        for part in parts:
            if create:
                with suppress(FileExistsError):
                    os.mkdir(part, dir_fd=here)
            below = os.open(part, _FOLDER, dir_fd=here)
            os.close(here)
            here = below
        yield here
    finally:
        os.close(here)


def move_without_replacing(source: tuple[int, str], target: tuple[int, str]) -> None:
    """Rename (folder, name) to (folder, name) unless something stands there. Raises FileExistsError, OSError."""
    if _renameat2 is not None:
        before, after = os.fsencode(source[1]), os.fsencode(target[1])
        if _renameat2(source[0], before, target[0], after, _RENAME_NOREPLACE) == 0:
            return
        number = ctypes.get_errno()
        if number not in _UNKNOWN:
            raise OSError(number, os.strerror(number), target[1])
    _move_by_link(source, target)


def _move_by_link(source: tuple[int, str], target: tuple[int, str]) -> None:
    """The same on file systems without the system call: a link for a file, an empty folder to stand on for a folder."""
    if is_folder(source):
        os.mkdir(target[1], dir_fd=target[0])
        os.rename(source[1], target[1], src_dir_fd=source[0], dst_dir_fd=target[0])
        return
    os.link(source[1], target[1], src_dir_fd=source[0], dst_dir_fd=target[0], follow_symlinks=False)
    os.unlink(source[1], dir_fd=source[0])


def move_replacing(source: tuple[int, str], target: tuple[int, str]) -> None:
    """Rename over what stands there. A symbolic link there is replaced itself. Raises OSError, also for a folder."""
    os.replace(source[1], target[1], src_dir_fd=source[0], dst_dir_fd=target[0])


def is_folder(place: tuple[int, str]) -> bool:
    """Whether a folder, not a link to one, stands at (folder, name)."""
    found = _look(place)
    return found is not None and stat.S_ISDIR(found.st_mode)


def exists(place: tuple[int, str]) -> bool:
    """Whether anything at all stands at (folder, name), a dangling link included."""
    return _look(place) is not None


def size(place: tuple[int, str]) -> int | None:
    """Bytes of the file at (folder, name); None where no file stands."""
    found = _look(place)
    return found.st_size if found is not None and stat.S_ISREG(found.st_mode) else None


def _look(place: tuple[int, str]) -> os.stat_result | None:
    try:
        return os.stat(place[1], dir_fd=place[0], follow_symlinks=False)
    except FileNotFoundError:
        return None


def names(directory: int) -> list[str]:
    """What stands in a folder, in order. Raises OSError."""
    with os.scandir(directory) as found:
        return sorted(entry.name for entry in found)


def merge(source: tuple[int, str], target: tuple[int, str]) -> None:
    """Move a tree onto what stands at the target: folders are joined, files replaced one by one. What was moved is gone
    from the source, so that a merge that was broken off goes on. Raises OSError where a file would replace a folder or
    the reverse."""
    if not is_folder(source):
        move_replacing(source, target)
        return
    with suppress(FileExistsError):
        os.mkdir(target[1], dir_fd=target[0])
    with folder(source[0], [source[1]]) as inside, folder(target[0], [target[1]]) as onto:
        for name in names(inside):
            merge((inside, name), (onto, name))
        times = os.fstat(inside)
        os.utime(onto, ns=(times.st_atime_ns, times.st_mtime_ns))
        os.fsync(onto)
    os.rmdir(source[1], dir_fd=source[0])


def remove(place: tuple[int, str]) -> None:
    """Delete a file, a link or a whole tree; nothing there is fine. Raises OSError."""
    if not is_folder(place):
        with suppress(FileNotFoundError):
            os.unlink(place[1], dir_fd=place[0])
        return
    with folder(place[0], [place[1]]) as inside:
        for name in names(inside):
            remove((inside, name))
    os.rmdir(place[1], dir_fd=place[0])


def write_all(descriptor: int, data: bytes | bytearray | memoryview, offset: int) -> None:
    """Every byte at its place. Raises OSError."""
    view = memoryview(data)
    while view:
        written = os.pwrite(descriptor, view, offset)
        view, offset = view[written:], offset + written


def sync_data(descriptor: int) -> None:
    """Wait until the file's bytes are on the disk. Raises OSError."""
    if hasattr(os, "fdatasync"):
        os.fdatasync(descriptor)
    else:
        os.fsync(descriptor)


def sync_many(directory: int, files: Sequence[str]) -> None:
    """Wait until all these files of a folder, and the folder, are on the disk. Raises OSError.

    Where the system can, it is one wait for the whole file system, which is many times faster than one each.
    """
    if _syncfs is not None:
        if _syncfs(directory) == 0:
            return
        number = ctypes.get_errno()
        if number not in _UNKNOWN:
            raise OSError(number, os.strerror(number))
    for name in files:
        descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=directory)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    os.fsync(directory)

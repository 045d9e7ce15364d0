"""Where control sockets live, who may use them, and what becomes of those that a killed program has left behind.

Who may speak to a program may make it send any file of its user. So the sockets stand in a directory that only the user
can enter, and every connection is checked for its user once more where the system can tell.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import re
import socket
import stat
import struct
import warnings
from collections.abc import Generator
from pathlib import Path

import platformdirs

from mayfly.errors import ControlError, NoSessionError

SUFFIX = ".sock"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}")
_MOST_OF_A_NAME = 100
_BACKLOG = 16
_OWN_DIRECTORY = "Set XDG_RUNTIME_DIR to a directory of your own."


def default_directory() -> Path:
    """The user's own; it need not exist yet."""
    with warnings.catch_warnings():
        # Where XDG_RUNTIME_DIR is open to others it takes another folder, and says so in a programmer's words.
        # Of which class the warning is has changed between its versions.
        warnings.simplefilter("ignore")
        return platformdirs.user_runtime_path("mayfly")


def check_name(name: str) -> str:
    """A session's name as it was given. Raises ControlError."""
    if not _NAME.fullmatch(name):
        raise ControlError(
            f"{name!r} cannot name a program.", hint="Use up to 32 letters, digits, hyphens and underscores."
        )
    return name


def claim(name: str, directory: Path, *, exact: bool = False) -> tuple[str, socket.socket]:
    """Listen under this name, or with `-2`, `-3` … behind it unless `exact`. Stale sockets on the way are removed.

    Raises ControlError when the directory is not safe or cannot be made, or the name is taken.
    """
    check_name(name)
    with _errors(), _locked(_prepare(directory)):
        for number in range(1, _MOST_OF_A_NAME):
            candidate = name if number == 1 else f"{name}-{number}"
            path = directory / (candidate + SUFFIX)
            if not _is_live(path):
                return candidate, _listen(path)
            if exact:
                break
    raise ControlError(f"A program named {name} runs already.", hint="Choose another one with --name.")


def release(name: str, directory: Path, listener: socket.socket) -> None:
    """Stop listening and remove the socket, unless it has been replaced by somebody else's. Never raises."""
    with contextlib.suppress(OSError, ControlError), _locked(directory):
        path = directory / (name + SUFFIX)
        listener.close()
        if not _is_live(path):
            path.unlink(missing_ok=True)
    listener.close()


def running(directory: Path) -> list[str]:
    """The names of the sessions that run, sorted. Stale sockets are removed. Raises ControlError."""
    if not directory.exists():
        return []
    with _errors(), _locked(_prepare(directory)):
        found = sorted(directory.glob("*" + SUFFIX))
        return [path.name.removesuffix(SUFFIX) for path in found if _is_live(path)]


def connect(name: str | None, directory: Path) -> socket.socket:
    """A connection to the session of that name, or to the only one.

    Raises NoSessionError when none runs, ControlError when the choice is not clear or the socket is not ours.
    """
    names = running(directory)
    if name is None:
        if not names:
            raise NoSessionError("Nothing is running here.", hint="Start `mayfly relay` or `mayfly client` first.")
        if len(names) > 1:
            raise several(names, "Choose one with --session NAME.")
        name = names[0]
    elif check_name(name) not in names:
        hint = (
            f"These run: {', '.join(names)}."
            if names
            else "Nothing runs here; start `mayfly relay` or `mayfly client`."
        )
        raise NoSessionError(f"No program named {name} runs here.", hint=hint)
    with _errors():
        sock = socket.socket(socket.AF_UNIX)
        try:
            sock.connect(os.fspath(directory / (name + SUFFIX)))
            check_user(sock)
        except BaseException:
            sock.close()
            raise
        return sock


def several(names: list[str], hint: str) -> ControlError:
    """It is not clear which of these programs is meant."""
    return ControlError(f"Several programs run here: {', '.join(names)}.", hint=hint)


def check_user(sock: socket.socket) -> None:
    """Raise ControlError for a connection with another user. Where the system cannot tell, the directory must do."""
    option = getattr(socket, "SO_PEERCRED", None)
    if option is None:
        return
    _pid, user, _group = struct.unpack("3i", sock.getsockopt(socket.SOL_SOCKET, option, struct.calcsize("3i")))
    if user not in (os.geteuid(), 0):
        raise ControlError(
            "What would take this command is another user's program.",
            hint=_OWN_DIRECTORY,
        )


def _prepare(directory: Path) -> Path:
    """Make the directory where it is missing, and check that nobody else can change what is in it."""
    directory.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        directory.mkdir(mode=0o700)
    status = directory.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid() or status.st_mode & 0o077:
        raise ControlError(
            "The directory by which commands find programs can be used by others.",
            hint=f"Remove it, or keep others out: chmod 700 {directory}",
        )
    above = directory.parent.stat()
    foreign = above.st_uid not in (os.geteuid(), 0)
    if foreign or (above.st_mode & 0o022 and not above.st_mode & stat.S_ISVTX):
        raise ControlError(
            "The directory by which commands find programs stands where other users could replace it.",
            hint=_OWN_DIRECTORY,
        )
    return directory


def _is_live(path: Path) -> bool:
    """Whether somebody listens there. What is stale is removed; what is no socket counts as taken."""
    try:
        if not stat.S_ISSOCK(path.lstat().st_mode):
            return True
    except FileNotFoundError:
        return False
    with socket.socket(socket.AF_UNIX) as probe:
        probe.setblocking(False)
        try:
            probe.connect(os.fspath(path))
        except ConnectionRefusedError:
            path.unlink(missing_ok=True)
            return False
        except BlockingIOError:
            return True  # its queue of connections is full
    return True


def _listen(path: Path) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX)
    try:
        listener.bind(os.fspath(path))  # nobody else can enter the directory before the mode is set
        path.chmod(0o600)
        listener.listen(_BACKLOG)
        listener.setblocking(False)
    except BaseException:
        listener.close()
        raise
    return listener


@contextlib.contextmanager
def _locked(directory: Path) -> Generator[None]:
    """Two programs that find the same stale socket must not remove each other's new one."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _errors() -> Generator[None]:
    try:
        yield
    except OSError as error:
        if "too long" in str(error):
            reason, hint = "its path is too long", "Set XDG_RUNTIME_DIR to a directory with a shorter name."
        else:
            reason = (os.strerror(error.errno) if error.errno is not None else "unknown reason").lower()
            hint = _OWN_DIRECTORY
            if error.errno == errno.ECONNREFUSED:
                hint = "The program may just have ended; try again."
        raise ControlError(f"Commands cannot reach programs here: {reason}.", hint=hint) from None

"""The files that a sender has sent, until the receiver says that it has them: what counts as progress."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from mayfly.files.fields import FilesError


@dataclass(slots=True)
class _Sent:
    index: int
    on_disk: int
    sent: int
    whole: bool = False


class SentFiles:
    """In the order in which they were sent, which is the order in which the receiver reports them."""

    def __init__(self) -> None:
        self.on_disk = 0
        """Bytes that the receiver has verified and written."""
        self.unstored = 0
        """Bytes that were sent and are not in `on_disk`: what is sent again if everything stops now."""
        self._files: deque[_Sent] = deque()

    @property
    def waiting(self) -> bool:
        """Whether a file was sent, at least in part, that the receiver has not confirmed whole."""
        return bool(self._files)

    def began(self, index: int, offset: int) -> None:
        """A file is sent from `offset` on; the receiver has what stands before."""
        self._files.append(_Sent(index, offset, offset))
        self.on_disk += offset

    def sent(self, size: int) -> None:
        """So much more of it was sent."""
        self._files[-1].sent += size
        self.unstored += size

    def ended(self) -> None:
        """All of it was sent."""
        self._files[-1].whole = True

    def skipped(self, size: int) -> None:
        """The receiver has a file from before."""
        self.on_disk += size

    def reached(self, index: int, offset: int) -> None:
        """ON_DISK. Raises FilesError for what cannot be."""
        file = self._first(index)
        if not file.on_disk <= offset <= file.sent:
            raise FilesError("the receiver reports bytes that were not sent")
        self._stored(file, offset)

    def done(self, index: int) -> None:
        """DONE. Raises FilesError for what cannot be."""
        file = self._first(index)
        if not file.whole:
            raise FilesError("the receiver reports a file that was not sent whole")
        self._stored(file, file.sent)
        self._files.popleft()

    def _stored(self, file: _Sent, offset: int) -> None:
        self.on_disk += offset - file.on_disk
        self.unstored -= offset - file.on_disk
        file.on_disk = offset

    def _first(self, index: int) -> _Sent:
        if not self._files or self._files[0].index != index:
            raise FilesError("the receiver reports another file than the next")
        return self._files[0]

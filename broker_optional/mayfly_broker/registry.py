"""Postings, matches and their mailboxes, sans-IO: the time is an argument, chance and names are handed in.

Every call either does the whole of what it says, or raises RefusedError and changes nothing but the count of claims.
What is due by `now` has ended before a call looks at anything. `take_news()` names the postings and matches about
which somebody may be waiting to hear. The same on Redis is in `registry.lua`; one suite of tests holds both to it.

Bounds, from BrokerConfig: postings, open and lingering matches, the messages and bytes of each, nameplates, and what
one owner (an address prefix, as a keyed hash) may hold of each.
"""

from __future__ import annotations

import heapq
from collections import Counter
from hashlib import sha256
from hmac import compare_digest
from itertools import islice

from mayfly.rendezvous.messages import (
    LIMITS,
    Arrived,
    CloseReason,
    Ended,
    ErrorName,
    FriendMatch,
    Mail,
    Mailbox,
    MatchCreated,
    NewMatch,
    NewMessage,
    NewPosting,
    Opened,
    Outcome,
    PoolMatch,
    PoolPosting,
    PostingEvent,
    PostingNews,
    PostingUpdate,
)
from mayfly_broker.claims import Claims
from mayfly_broker.config import BrokerConfig
from mayfly_broker.nameplates import Nameplates
from mayfly_broker.records import Letters, Match, Posting
from mayfly_broker.refusals import RefusedError
from mayfly_broker.shelf import Draw, Shelf, level
from mayfly_broker.states import MatchState, PostingState, PostingStep

GUESS = 2
"""The client's message that shows a relay whether the words are right; before it nobody learns anything of them."""

RETRY = 2.0
"""Seconds after which asking again makes sense, where nothing better is known."""


def digest(token: str) -> bytes:
    """What is kept of a token: who reads the memory, or the store, cannot use it."""
    return sha256(token.encode()).digest()


class Registry:
    """The broker's memory. Tokens come in and are kept as digests."""

    def __init__(self, config: BrokerConfig, draw: Draw) -> None:
        self._config = config
        self._draw = draw
        self._postings: dict[str, Posting] = {}
        self._matches: dict[str, Match] = {}
        self._plates: dict[str, str] = {}
        self._nameplates = Nameplates(config.max_nameplate, config.nameplate_rest)
        self._claims = Claims(config.prefix_claims, config.claim_window, config.max_prefixes)
        self._shelf = Shelf()
        self._owned: Counter[str] = Counter()
        self._held: Counter[str] = Counter()
        self._due: list[tuple[float, str]] = []
        self._news: set[str] = set()

    # What relays do

    def post(self, request: NewPosting, posting: str, token: str, owner: str, now: float) -> str | None:
        """Take in a posting under a fresh id; a friend's gets a nameplate, which is returned."""
        self.expire(now)
        if self._owned[owner] >= self._config.prefix_postings:
            raise RefusedError(ErrorName.TOO_MANY, retry_after=self._config.lease)
        if len(self._postings) >= self._config.max_postings:
            raise RefusedError(ErrorName.FULL, retry_after=self._config.lease)
        ends = now + request.lifetime
        entry = Posting(posting, digest(token), owner, capacity=1, ends=ends, lease=now + self._config.lease)
        if isinstance(request, PoolPosting):
            entry.capacity, entry.key, entry.about = request.capacity, request.key, request.about
        else:
            entry.nameplate = self._nameplates.take(now, request.nameplate)
            if entry.nameplate is None:
                raise RefusedError(ErrorName.FULL, retry_after=self._config.nameplate_rest)
            self._plates[entry.nameplate] = posting
        self._postings[posting] = entry
        self._owned[owner] += 1
        self._plan(entry)
        self._lay(entry)
        return entry.nameplate

    def update(self, posting: str, token: str, update: PostingUpdate, now: float) -> float:
        """Change what a posting says of itself, and renew its lease. Returns the seconds that it stands."""
        self.expire(now)
        entry = self._own(posting, token)
        if update.lifetime is not None:
            entry.ends = now + update.lifetime
        if entry.about is not None:
            entry.about = entry.about if update.about is None else update.about
            entry.capacity = entry.capacity if update.capacity is None else update.capacity
        self._renew(entry, now)
        self._lay(entry)
        return entry.until - now

    def leave(self, posting: str, token: str, now: float) -> None:
        """Take a posting out; its open matches end."""
        self.expire(now)
        entry = self._known(posting, token)
        self._drop(entry, PostingStep.LEAVE, now)

    def news(self, posting: str, token: str, after: int, now: float) -> PostingNews:
        """What has happened to a posting since an event. Renews its lease."""
        self.expire(now)
        entry = self._own(posting, token)
        self._renew(entry, now)
        newer = (event for seq, event in entry.events.items() if seq > after)
        events = tuple(islice(newer, LIMITS.max_events))
        cursor = events[-1].seq if len(events) == LIMITS.max_events else entry.seq
        return PostingNews(events, cursor, entry.until - now)

    def cut(self, posting: str, now: float) -> None:
        """The connection of a posting's poll was cut: its relay comes back soon, or never."""
        self.expire(now)
        entry = self._postings.get(posting)
        if entry is not None and entry.state is PostingState.LIVE:
            entry.lease = min(entry.lease, now + self._config.cut_lease)
            self._plan(entry)

    # What clients do

    def match(self, request: NewMatch, match: str, token: str, owner: str, now: float) -> MatchCreated:
        """Bring a client to a posting, under a fresh id for the two."""
        self.expire(now)
        if isinstance(request, FriendMatch) and (wait := self._claims.claim(owner, now)) is not None:
            raise RefusedError(ErrorName.TOO_MANY, retry_after=wait)
        if self._held[owner] >= self._config.prefix_matches:
            raise RefusedError(ErrorName.TOO_MANY, retry_after=RETRY)
        if len(self._matches) >= self._config.max_matches:
            raise RefusedError(ErrorName.FULL, retry_after=RETRY)
        entry = self._of_pool(request) if isinstance(request, PoolMatch) else self._of_friend(request.nameplate, now)
        until = min(now + self._config.match_lifetime, entry.ends)
        made = self._matches[match] = Match(match, digest(token), owner, entry.id, until)
        self._held[owner] += 1
        heapq.heappush(self._due, (until, match))
        entry.open.add(match)
        entry.opened += 1
        self._lay(entry)
        self._tell(entry, made, Opened(entry.seq + 1, match))
        return MatchCreated(match, token, entry.id, until - now, entry.key, entry.about)

    # What both do in a match

    def send(self, match: str, token: str, message: NewMessage, now: float) -> None:
        """Put a message into the other side's mailbox. The same one again changes nothing."""
        self.expire(now)
        entry, own, _ = self._side(match, token)
        if message.n <= len(own.bodies) and own.bodies[message.n - 1] == message.body:
            return
        if entry.state is not MatchState.OPEN:
            raise RefusedError(ErrorName.CLOSED)
        if message.n != len(own.bodies) + 1:
            raise RefusedError(ErrorName.OUT_OF_ORDER)
        if own.size + len(message.body) > self._config.max_mailbox:
            raise RefusedError(ErrorName.MAILBOX_FULL)
        own.bodies.append(message.body)
        own.size += len(message.body)
        self._news.add(match)
        if own is entry.client:
            posting = self._postings[entry.posting]
            posting.tries += message.n == GUESS
            self._tell(posting, entry, Arrived(posting.seq + 1, match, message.n, message.body))

    def mailbox(self, match: str, token: str, after: int, now: float) -> Mailbox:
        """The other side's messages after a number."""
        self.expire(now)
        entry, _, other = self._side(match, token)
        mail = tuple(Mail(n, body) for n, body in enumerate(other.bodies[after:], after + 1))
        return Mailbox(mail, max(after, len(other.bodies)), entry.reason)

    def close(self, match: str, token: str, outcome: Outcome, now: float) -> None:
        """End a match. Only the relay's word that it is done uses up a seat, or a friend's code."""
        self.expire(now)
        entry, own, _ = self._side(match, token)
        if entry.state is MatchState.OPEN:
            self._end(entry, outcome, now, used=own is entry.relay and outcome == "done")

    # The clock, the waiting, the counts

    def expire(self, now: float) -> None:
        """End whatever is due."""
        while self._due and self._due[0][0] <= now:
            due, name = heapq.heappop(self._due)
            if (posting := self._postings.get(name)) is not None:
                if posting.due == due:
                    self._lapse(posting, now)
            elif (match := self._matches.get(name)) is not None and match.until <= due:
                if match.state is MatchState.OPEN:
                    self._end(match, "expired", now)
                else:
                    self._forget(match)

    def next_timeout(self) -> float | None:
        """When `expire` has something to do; None when nothing is held."""
        return self._due[0][0] if self._due else None

    def take_news(self) -> set[str]:
        """The ids of postings and matches with news since the last call."""
        news, self._news = self._news, set()
        return news

    def stands(self, posting: str, now: float) -> float:
        """Seconds that a posting stands if its relay does not poll."""
        return self._postings[posting].until - now

    def counts(self) -> tuple[int, int, int]:
        """Postings, those of the pool with a free seat, and open matches."""
        return len(self._postings), len(self._shelf), self._held.total()

    # Steps

    def _known(self, posting: str, token: str) -> Posting:
        entry = self._postings.get(posting)
        if entry is None:
            raise RefusedError(ErrorName.UNKNOWN_POSTING)
        if not compare_digest(entry.digest, digest(token)):
            raise RefusedError(ErrorName.UNAUTHORIZED)
        return entry

    def _own(self, posting: str, token: str) -> Posting:
        entry = self._known(posting, token)
        if entry.state is not PostingState.LIVE:
            raise RefusedError(ErrorName(entry.state.value))
        return entry

    def _side(self, match: str, token: str) -> tuple[Match, Letters, Letters]:
        """A match, the mailbox that this side fills, and the one that it reads."""
        entry = self._matches.get(match)
        if entry is None:
            raise RefusedError(ErrorName.UNKNOWN_MATCH)
        if compare_digest(entry.digest, digest(token)):
            return entry, entry.client, entry.relay
        posting = self._postings.get(entry.posting)
        if posting is not None and compare_digest(posting.digest, digest(token)):
            return entry, entry.relay, entry.client
        raise RefusedError(ErrorName.UNAUTHORIZED)

    def _of_pool(self, request: PoolMatch) -> Posting:
        found = self._shelf.find(request.want, frozenset(request.exclude), self._draw)
        if found is None:
            raise RefusedError(ErrorName.NO_RELAY, retry_after=RETRY)
        return self._postings[found]

    def _of_friend(self, nameplate: str, now: float) -> Posting:
        if nameplate not in self._plates:
            raise RefusedError(ErrorName.NO_SUCH_NAMEPLATE)
        entry = self._postings[self._plates[nameplate]]
        if entry.state is not PostingState.LIVE:
            raise RefusedError(ErrorName(entry.state.value))
        if entry.open:
            left = max(self._matches[match].until for match in entry.open) - now
            raise RefusedError(ErrorName.BUSY, retry_after=left)
        return entry

    def _lay(self, entry: Posting) -> None:
        if entry.about is None:
            return
        if entry.state is PostingState.LIVE and len(entry.open) < entry.capacity:
            self._shelf.put(entry.id, entry.about, level(entry.about, len(entry.open), entry.capacity))
        else:
            self._shelf.take(entry.id)

    def _renew(self, entry: Posting, now: float) -> None:
        entry.lease = now + self._config.lease
        self._plan(entry)

    def _plan(self, entry: Posting) -> None:
        """See that an entry of `_due` comes up no later than the posting lapses; a posting has one that counts."""
        if not entry.due or entry.until < entry.due:
            entry.due = entry.until
            heapq.heappush(self._due, (entry.due, entry.id))

    def _lapse(self, entry: Posting, now: float) -> None:
        entry.due = 0.0
        if entry.until <= now:
            self._drop(entry, PostingStep.LAPSE, now)
        else:
            self._plan(entry)

    def _drop(self, entry: Posting, step: PostingStep, now: float) -> None:
        self._retire(entry, step, now)
        del self._postings[entry.id]
        if entry.nameplate is not None:
            del self._plates[entry.nameplate]
            self._nameplates.give_back(entry.nameplate, now)
        self._owned[entry.owner] -= 1
        if not self._owned[entry.owner]:
            del self._owned[entry.owner]

    def _retire(self, entry: Posting, step: PostingStep, now: float) -> None:
        """A posting is no longer LIVE: nobody is brought to it, and what is open there ends."""
        entry.step(step)
        self._lay(entry)
        for name in sorted(entry.open):
            self._end(self._matches[name], "left", now)
        self._news.add(entry.id)

    def _rest(self, entry: Posting, step: PostingStep, now: float) -> None:
        """A friend's posting stays as an answer to those who ask for its nameplate."""
        self._retire(entry, step, now)
        entry.lease = entry.ends = now + self._config.nameplate_rest
        entry.due = 0.0
        self._plan(entry)

    def _end(self, match: Match, reason: CloseReason, now: float, *, used: bool = False) -> None:
        match.close(reason)
        match.until = now + self._config.linger
        heapq.heappush(self._due, (match.until, match.id))
        self._news.add(match.id)
        self._held[match.owner] -= 1
        if not self._held[match.owner]:
            del self._held[match.owner]
        posting = self._postings[match.posting]
        posting.open.discard(match.id)
        self._tell(posting, match, Ended(posting.seq + 1, match.id, reason))
        if posting.state is not PostingState.LIVE:
            return
        if posting.nameplate is None:
            posting.capacity -= used and posting.capacity > 0
            self._lay(posting)
        elif used:
            self._rest(posting, PostingStep.USE, now)
        elif posting.tries >= self._config.tries or posting.opened >= self._config.openings:
            self._rest(posting, PostingStep.BURN, now)

    def _forget(self, match: Match) -> None:
        del self._matches[match.id]
        if (posting := self._postings.get(match.posting)) is not None:
            for seq in match.seqs:
                posting.events.pop(seq, None)

    def _tell(self, posting: Posting, match: Match, event: PostingEvent) -> None:
        posting.seq = event.seq
        posting.events[event.seq] = event
        match.seqs.append(event.seq)
        self._news.add(posting.id)

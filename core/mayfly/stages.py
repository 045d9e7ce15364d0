"""The stages: each error and each warning names the one at which something failed.

A stage is for whoever looks for a cause: a person who asks a friend, a script that reads `--json`. It never changes its
meaning. `core/CATALOGUE.md` and the man pages show these words.
"""

from __future__ import annotations

STAGES = {
    "options": "An option, a variable, the configuration file or a rule of the exit policy cannot be understood.",
    "code": "A code cannot be used, or none came.",
    "engine": "Another engine than the best that is installed was taken, for the sake of an option.",
    "gather": "No address of this computer can be offered.",
    "broker": "Meeting through a broker: it is down, it or the relay says no, words are wrong, or a message was "
    "changed on its way.",
    "listen": "The local proxy's port, or the broker's, cannot be opened.",
    "store": "The broker's Redis does not answer.",
    "onion": "A relay's onion service says no, or answers as none does.",
    "connect": "No path to the other computer was found.",
    "handshake": "A path was found; the encryption (DTLS) could not be set up on it, or the other side is not who made "
    "the code.",
    "channel": "The encryption stands; what carries the messages (the data channel) did not open.",
    "session": "The other side speaks another version, has the wrong role, or broke the protocol.",
    "link": "Everything had worked; then the link ended.",
    "control": "A command could not reach a running program, or the program said no.",
    "chat": "Somebody's program broke a rule of the chat, or a message cannot be said.",
    "transfer": "Something about a transfer of files is worth knowing.",
    "source": "What is to be sent cannot be read, or was left out.",
    "tor": "Tor could not be started, reached or asked.",
    "upstream": "The proxies, the tor or the bridge that a relay goes through fail.",
    "disk": "What was received cannot be stored.",
    "files": "The other side broke a rule of file transfers.",
    "internal": "A bug of Mayfly's.",
}
"""What failed, by stage, in the order in which a run comes past them."""

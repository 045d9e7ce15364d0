"""What stands in blocks of our pages and is not typed by tests/system/test_readme.py, each with its reason."""

from __future__ import annotations

LANGUAGES = {
    "console": "what a terminal shows; played",
    "sh": "a script; played",
    "toml": "a configuration file: tests/unit/test_docs.py loads it",
    "torrc": "lines for tor: tests/support/transport.py makes tor's configuration from them",
    "log": "what tor's log says: tests/unit/test_pages.py looks for it in the code",
    "json": "events: tests/unit/support/test_catalogue.py holds them against the schema",
    "text": "grammar, layouts and drawings, nothing that is typed or run",
    "caddy": "a site for Caddy, which the page says was not tried",
}

ELSEWHERE = {
    "mayfly relay --upstream tor": "tests/system/test_upstream_tor.py",
    "mayfly relay --offer-onion": "tests/system/test_onion_meeting.py",
    "mayfly relay --upstream bridge://127.0.0.1:9001 --for 12h": "tests/support/transport.py",
    "echo mf1… >> ~/.tor/pt_state/codes.txt": "tests/support/transport.py",
    "tail -n 1 ~/.tor/pt_state/answers.txt": "tests/support/transport.py",
}
"""Commands that another test takes from the page and runs, since they need a Tor network."""

UNPLAYED = {
    "make test": "it is what runs the tests",
    "tor -f torrc": "tests/support/transport.py starts tor with the page's lines, and those of a private network",
    "docker compose -f deploy/compose.yaml up --build": "there is no container engine; test_deploy.py checks the files",
    "sudo python3 -m venv /opt/mayfly": "it changes the system; the same commands are played in README's Install",
    "sudo /opt/mayfly/bin/pip install '.[redis]'": "as above",
    "sudo cp deploy/systemd/mayfly-broker.service /etc/systemd/system/": "as above; test_deploy.py verifies the unit",
    "sudo systemctl enable --now mayfly-broker": "systemd does not run where tests do",
}
"""Commands that no test runs. Their syntax is checked, and that the files and options exist."""

"""`mayfly relay`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from mayfly.errors import UsageError
from mayfly_cli import brokers, extended, newnym, onions, settings, sharing, units, upstreams
from mayfly_cli.ordered import RULES
from mayfly_cli.settings import Values

if TYPE_CHECKING:
    from mayfly.runtime.events import CodeReader, Reporter
    from mayfly.runtime.shutdown import Shutdown
    from mayfly_relay.options import RelayOptions
    from mayfly_relay.policy import ExitPolicy
    from mayfly_relay.rules import Rule

HELP = (
    "Lend this computer's network to a friend, or to a few.\n\n"
    "Without a CODE, prints one to send along and asks for the answer that comes back; for each client that connects, "
    "a fresh code follows. With a client's CODE, prints the answer to send back. With --broker, prints a short code "
    "for a friend, or with --public serves strangers. Ctrl-C leaves politely, a second one at once.\n\n"
    "`mayfly relay newnym`: make the relay that runs here with --upstream tor take new circuits from now on."
)

_LENDING = "What is lent"
_EXIT = "Where clients may go"


def relay(
    ctx: typer.Context,
    *,
    code: Annotated[
        str | None,
        typer.Argument(
            metavar="CODE",
            help="A client's code, to answer it; - reads it from standard input. Without it, the relay makes the first "
            "code.",
            show_default=False,
        ),
    ] = None,
    lifetime: Annotated[
        str | None,
        typer.Option(
            "--for",
            metavar="DURATION",
            envvar="MAYFLY_RELAY_FOR",
            help="Stay so long, then leave: 30s, 10m, 2h, 1h30m. Default: 1h.",
            rich_help_panel=_LENDING,
        ),
    ] = None,
    max_clients: Annotated[
        str | None,
        typer.Option("--max-clients", metavar="N", help="Clients at once. Default: 4.", rich_help_panel=_LENDING),
    ] = None,
    max_streams: Annotated[
        str | None,
        typer.Option(
            "--max-streams",
            metavar="N",
            help="Connections of one client at once. Default: 1024.",
            rich_help_panel=_LENDING,
        ),
    ] = None,
    connect_rate: Annotated[
        str | None,
        typer.Option(
            "--connect-rate",
            metavar="N/s",
            help="New connections and lookups of names of one client in a second, after a burst. Default: 100/s.",
            rich_help_panel=_LENDING,
        ),
    ] = None,
    max_rate: Annotated[
        str | None,
        typer.Option(
            "--max-rate",
            metavar="RATE",
            help="All clients together, each direction: 500kB/s, 5MB/s, 20Mbit/s; none for no limit. Default: 128MB/s.",
            rich_help_panel=_LENDING,
        ),
    ] = None,
    max_bytes: Annotated[
        str | None,
        typer.Option(
            "--max-bytes",
            metavar="SIZE",
            help="All clients together, both directions, then the relay leaves: 500MB, 20GiB; none for no limit. "
            "Default: 100GB.",
            rich_help_panel=_LENDING,
        ),
    ] = None,
    idle_timeout: Annotated[
        str | None,
        typer.Option(
            "--idle-timeout",
            metavar="DURATION",
            help="Let a client go that has moved no byte for so long. Default: 30m.",
            rich_help_panel=_LENDING,
        ),
    ] = None,
    grace: Annotated[
        str | None,
        typer.Option(
            "--grace",
            metavar="DURATION",
            help="How long open connections may go on when the relay leaves. Default: 30s.",
            rich_help_panel=_LENDING,
        ),
    ] = None,
    allow: Annotated[
        list[str] | None,
        typer.Option(
            "--allow",
            metavar="HOST:PORTS",
            help="Let clients go there. HOST is an address, a network such as 10.0.0.0/8, a name with all below it, or "
            "*; PORTS a port, a range such as 80-443, or *. Repeatable.",
            rich_help_panel=_EXIT,
        ),
    ] = None,
    deny: Annotated[
        list[str] | None,
        typer.Option(
            "--deny",
            metavar="HOST:PORTS",
            help="Refuse to go there. The first rule that matches wins, in the order of the command line; then come "
            "the variable's and the file's, --deny before --allow; then the defaults, which refuse private "
            "addresses and mail ports.",
            rich_help_panel=_EXIT,
        ),
    ] = None,
    bind: settings.Bind = None,
    stun: settings.Stun = None,
    turn: settings.Turn = None,
    ip_policy: settings.Policy = None,
    broker: brokers.Broker = None,
    public: brokers.Public = False,
    broker_proxy: brokers.BrokerProxy = None,
    broker_front: brokers.BrokerFront = None,
    broker_plain: brokers.BrokerPlain = False,
    offer_onion: onions.OfferOnion = False,
    upstream: upstreams.Upstream = None,
    outbound_address: upstreams.Outbound = None,
    ext_or_port: extended.ExtOrPort = None,
    ext_or_cookie: extended.ExtOrCookie = None,
    ext_or_address: extended.ExtOrAddress = None,
    tor_control: upstreams.TorControl = None,
    torrc_line: upstreams.TorrcLine = None,
    tor_isolate: upstreams.TorIsolate = None,
    name: sharing.Name = None,
    nick: sharing.Nick = None,
    accept_into: sharing.AcceptInto = None,
    overwrite: sharing.Overwrite = False,
    no_control: sharing.NoControl = False,
    dtls_role: settings.Role = None,
    engine: settings.EngineName = None,
    ordered: settings.Ordered = False,
    json: settings.JsonFlag = False,
    config: settings.Config = None,
    loop: settings.LoopName = None,
    unsafe_logging: settings.UnsafeLogging = False,
    verbose: settings.Verbose = False,
) -> None:
    """The command: options in, exit code out."""
    from mayfly_cli import running  # noqa: PLC0415 - `mayfly --help` must not pay for it

    values = Values(ctx)

    if code == newnym.WORD:
        running.answer("relay", values, lambda teller: newnym.run(name, teller))

    def body(teller: running.Teller) -> int:
        chosen = options(values)
        if chosen.broker is not None and code is not None:
            raise settings.exclude_each_other("--broker", "a CODE")
        if chosen.offer_onion and (code is not None or chosen.broker is not None):
            raise UsageError("--offer-onion is another way to meet than a CODE or --broker.", hint="Choose one.")
        if upstreams.shows_password(values):
            teller.report(upstreams.password_shown())

        async def settle(codes: running.Codes, _: running.Teller) -> str | None:
            return await running.given(code, codes)

        async def program(given: str | None, reporter: Reporter, codes: CodeReader, shutdown: Shutdown) -> None:
            from mayfly_relay.app import run_relay  # noqa: PLC0415 - loads the engine

            await run_relay(replace(chosen, code=given), reporter, codes, shutdown)

        return running.run(values, teller, settle, program)

    running.answer("relay", values, body)


def options(values: Values) -> RelayOptions:
    """Everything but the code. Raises UsageError."""
    from mayfly_relay.limits import RelayLimits  # noqa: PLC0415 - `mayfly --help` must not pay for it
    from mayfly_relay.options import RelayOptions  # noqa: PLC0415

    link = settings.link_settings(values)
    way_out = upstreams.way_out(values)  # first: a bridge leaves out what stands in the file about other ways
    broker = brokers.broker_options(values)
    values.only_with(broker is not None, "--broker", "public", "broker_proxy", "broker_front", "broker_plain")
    usual = RelayLimits()
    limits = RelayLimits(
        max_clients=values.one("max_clients", settings.count, usual.max_clients),
        max_streams=values.one("max_streams", settings.count, usual.max_streams),
        connect_rate=values.one("connect_rate", settings.per_second, usual.connect_rate),
        max_rate=values.one("max_rate", settings.unlimited(units.rate), usual.max_rate),
        max_bytes=values.one("max_bytes", settings.unlimited(units.size), usual.max_bytes),
        idle_timeout=values.one("idle_timeout", settings.positive(units.duration), usual.idle_timeout),
    )
    standard = RelayOptions(link=link)
    return RelayOptions(
        link=link,
        broker=broker,
        offer_onion=bool(values.raw("offer_onion")),
        public=bool(values.raw("public")),
        policy=_policy(values),
        limits=limits,
        lifetime=values.one("lifetime", settings.positive(units.duration), standard.lifetime),
        grace=values.one("grace", units.duration, standard.grace),
        engine=settings.engine(values),
        unsafe_logging=bool(values.raw("unsafe_logging")),
        hub=sharing.hub_options(values),
        **way_out,
        **extended.extended_port(values),
    )


def _policy(values: Values) -> ExitPolicy:
    """The rules of the command line in their order, then those of a variable or the file: refusals first."""
    from mayfly_relay.policy import ExitPolicy  # noqa: PLC0415
    from mayfly_relay.rules import parse_rule  # noqa: PLC0415

    def convert(name: str, text: str) -> Rule:
        return values.converted(name, text, lambda rule: parse_rule(rule, name == "allow"))

    ordered: list[tuple[str, str]] = values.meta(RULES) or []
    rules = [convert(name, text) for name, text in ordered]
    for name in ("deny", "allow"):
        if not values.on_command_line(name):
            rules += [convert(name, text) for text in values.raw(name) or ()]
    return ExitPolicy(tuple(rules))

"""`mayfly client`."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from mayfly.errors import CodeError, UsageError
from mayfly_cli import brokers, endpoints, onions, settings, sharing, shortcodes, terminals, units
from mayfly_cli.settings import Values

if TYPE_CHECKING:
    from mayfly.runtime.events import CodeReader, Reporter
    from mayfly.runtime.shutdown import Shutdown
    from mayfly_cli import running
    from mayfly_client.options import ClientOptions

HELP = (
    "Open a local proxy that leads through somebody's relay.\n\n"
    "Answers the relay's CODE and prints the answer to send back; once connected, prints where the proxy listens. "
    "Names are resolved at the relay. With --broker, meets a relay there instead. Ctrl-C leaves politely, a second one "
    "at once."
)

_PROXY = "The local proxy"
_QUESTION = "Paste the relay's code and press Enter, or press Enter alone to make an offer instead:"


def client(
    ctx: typer.Context,
    *,
    code: Annotated[
        str | None,
        typer.Argument(
            metavar="CODE",
            autocompletion=shortcodes.complete,
            help="The relay's code, to answer it; - reads it from standard input. Without it, you are asked for it at "
            "a terminal; elsewhere, and with --json or --offer, the client makes the first code. With --broker: a "
            "friend's short code, or nothing for a relay of a stranger.",
            show_default=False,
        ),
    ] = None,
    offer: Annotated[
        bool,
        typer.Option(
            "--offer",
            help="Make the first code here, without asking for the relay's.",
            rich_help_panel="Exchanging codes",
        ),
    ] = False,
    socks: Annotated[
        str | None,
        typer.Option(
            "--socks",
            metavar="HOST:PORT",
            help="Where the proxy listens; port 0 takes a free one. Default: 127.0.0.1:1080.",
            rich_help_panel=_PROXY,
        ),
    ] = None,
    socks_auth: Annotated[
        str | None,
        typer.Option(
            "--socks-auth",
            metavar="USER:PASSWORD",
            help=f"Let in only programs that give this user name and password, {settings.BETTER_HIDDEN}",
            rich_help_panel=_PROXY,
        ),
    ] = None,
    again: Annotated[
        bool,
        typer.Option(
            "--again",
            help="When the link is lost, wait for another code of the relay instead of ending; "
            "at a terminal this is so anyway.",
            rich_help_panel=_PROXY,
        ),
    ] = False,
    grace: Annotated[
        str | None,
        typer.Option(
            "--grace",
            metavar="DURATION",
            help="How long open connections may go on when the client leaves. Default: 30s.",
            rich_help_panel=_PROXY,
        ),
    ] = None,
    bind: settings.Bind = None,
    stun: settings.Stun = None,
    turn: settings.Turn = None,
    ip_policy: settings.Policy = None,
    broker: brokers.Broker = None,
    relays: brokers.Relays = None,
    want: brokers.Want = None,
    want_port: brokers.WantPort = None,
    broker_proxy: brokers.BrokerProxy = None,
    broker_front: brokers.BrokerFront = None,
    broker_plain: brokers.BrokerPlain = False,
    onion: onions.Onion = None,
    tor_socks: onions.TorSocks = None,
    torrc_line: onions.TorrcLine = None,
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

    def body(teller: running.Teller) -> int:
        if offer and code is not None:
            raise settings.exclude_each_other("--offer", "a CODE")
        chosen = options(values)
        if chosen.broker is not None and offer:
            raise settings.exclude_each_other("--broker", "--offer")
        if chosen.onion is not None and (offer or code is not None or chosen.broker is not None):
            raise UsageError("--onion is another way to meet than a CODE, --offer or --broker.", hint="Choose one.")

        async def settle(codes: running.Codes, reporter: running.Teller) -> str | None:
            if chosen.onion is not None:
                return None
            if chosen.broker is not None:
                return await shortcodes.settle(code, codes, reporter)
            if code is not None:
                return await running.given(code, codes)
            return None if offer or json or not terminals.can_ask() else await ask(codes, reporter)

        async def program(given: str | None, reporter: Reporter, codes: CodeReader, shutdown: Shutdown) -> None:
            from mayfly_client.app import run_client  # noqa: PLC0415 - loads the engine

            await run_client(replace(chosen, code=given), reporter, codes, shutdown)

        return running.run(values, teller, settle, program, must_connect=True)

    running.answer("client", values, body)


def options(values: Values) -> ClientOptions:
    """Everything but the code. Raises UsageError."""
    from mayfly.meetconfig import PoolConfig  # noqa: PLC0415 - `mayfly --help` must not pay for it
    from mayfly_client.options import ClientOptions  # noqa: PLC0415 - `mayfly --help` must not pay for it

    link = settings.link_settings(values)
    broker = brokers.broker_options(values)
    brokered = ("relays", "want", "want_port", "broker_proxy", "broker_front", "broker_plain")
    values.only_with(broker is not None, "--broker", *brokered)
    standard = ClientOptions(link=link)
    return ClientOptions(
        link=link,
        broker=broker,
        onion=onions.client_onion(values),
        wish=brokers.wish(values),
        pool=PoolConfig(relays=values.one("relays", brokers.relays, standard.pool.relays)),
        socks=values.one("socks", endpoints.host_port, standard.socks),
        socks_auth=values.one("socks_auth", endpoints.user_password, None),
        again=bool(values.raw("again")) or (not values.raw("json") and terminals.can_ask()),
        grace=values.one("grace", units.duration, standard.grace),
        engine=settings.engine(values),
        hub=sharing.hub_options(values),
    )


async def ask(codes: running.Codes, reporter: running.Teller) -> str | None:
    """Ask until there is an offer that is good now, or an empty line: None. Raises EOFError."""
    from mayfly.runtime.events import Warned  # noqa: PLC0415 - `mayfly --help` must not pay for it
    from mayfly.signaling.codes import parse  # noqa: PLC0415
    from mayfly.signaling.description import Kind  # noqa: PLC0415
    from mayfly_cli.pasting import PastedCodes  # noqa: PLC0415

    while True:
        text = await (codes.ask(_QUESTION, Kind.OFFER) if isinstance(codes, PastedCodes) else codes.read(Kind.OFFER))
        if not text:
            return None
        try:
            parse(text, wanted=Kind.OFFER, now=time.time())
        except CodeError as error:
            reporter.report(Warned.of(error))
            continue
        return text

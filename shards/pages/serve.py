"""Serves an app to this machine, or to its network."""

import errno
import ipaddress
import socket
import sys
from contextlib import suppress

import segno
import typer
import waitress
from flask import Flask

from shards.errors import UserError
from shards.pages.app import MAX_BODY, Site

LOOPBACK = "127.0.0.1"
_WARNING = (
    "warning: everyone in this network who has the address can use the page, and what is sent is "
    "not encrypted; do so only in a network that you trust"
)


def serve(app: Flask, site: Site) -> None:
    """Print the page's address and serve it until Ctrl-C or SIGTERM.

    Beyond this machine, with a warning and a QR code. Raises UserError where the port is taken or
    the host is no address of this machine.
    """
    host, port = site.host, site.port
    try:
        server = waitress.create_server(
            app, host=host, port=port, threads=4, max_request_body_size=MAX_BODY, ident=None
        )
    except OSError as error:
        raise _refused(error, host, port) from error
    except ValueError as error:  # waitress, where a name has no address
        raise UserError(f"{host} has no address here; name an address of this machine") from error
    with suppress(KeyboardInterrupt):
        _announce(host, f"http://{_name(_reached(host))}:{port}/#{site.token}")
        server.run()


def _announce(host: str, address: str) -> None:
    if not _is_loopback(host):
        segno.make(address).terminal(sys.stdout, compact=True)
        typer.echo(_WARNING, err=True)
    typer.echo(f"open {address}")


def _refused(error: OSError, host: str, port: int) -> UserError:
    if error.errno == errno.EADDRINUSE:
        return UserError(
            f"port {port} is taken, perhaps by another page of this kind; end that, or name "
            "another with --port"
        )
    return UserError(f"{host} cannot be served ({error.strerror}); name an address of this machine")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _reached(host: str) -> str:
    """The address at which others reach this machine, where it serves all it has."""
    if host not in ("0.0.0.0", "::"):  # noqa: S104
        return host
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # sends nothing; the system only picks a way out
        except OSError:
            return LOOPBACK
        return str(probe.getsockname()[0])


def _name(host: str) -> str:
    return f"[{host}]" if ":" in host else host

"""The connection with a Ray cluster, and what is told where there is none."""

import logging
import os
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from shards.errors import UserError

_PATIENCE = 10  # seconds until a head that does not answer counts as none


@contextmanager
def connected(address: str, cores: int | None) -> Iterator[None]:
    """Be connected with a cluster; UserError where none answers."""
    import ray

    local = address == "local"
    if address not in ("auto", "local"):
        _knock(address)
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # this project tells nobody anything
    on_stop = signal.getsignal(signal.SIGTERM)
    try:
        ray.init(
            address=address,
            num_cpus=cores if local else None,
            include_dashboard=False if local else None,
            log_to_driver=False,
            logging_level=logging.ERROR,
        )
    except (ConnectionError, RuntimeError, ValueError) as error:
        raise _no_cluster(address, error) from error
    try:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, on_stop)  # which Ray has taken
        yield
    finally:
        ray.shutdown()


def _knock(address: str) -> None:
    """Raise UserError where nobody listens at HOST:PORT: Ray itself would try for minutes."""
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit():
        raise UserError(f"the address of a cluster is auto, local or HOST:PORT, not {address!r}")
    try:
        socket.create_connection((host, int(port)), _PATIENCE).close()
    except (OSError, OverflowError) as error:
        raise _no_cluster(address, error) from error


def _no_cluster(address: str, error: Exception) -> UserError:
    return UserError(
        f"no cluster of Ray answers at {address} ({first_line(error)}); start one with "
        "`ray start --head`, or take --address local"
    )


def first_line(error: Exception) -> str:
    """What an error says, without the traceback of a node that Ray appends."""
    return str(getattr(error, "cause", error)).strip().split("\n")[0].rstrip(".")

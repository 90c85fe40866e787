"""Loopback ports that are free now; another process may take one before it is used."""

from __future__ import annotations

import socket

_LOOPBACK = "127.0.0.1"
_LAST_PORT = 65_535
_BLOCK_TRIES = 200


class NoFreePorts(Exception):
    """So many neighbouring ports are not free; the message has the remedy."""


def free_ports(count: int) -> list[int]:
    """Different TCP ports."""
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind((_LOOPBACK, 0))
        return [int(probe.getsockname()[1]) for probe in probes]
    finally:
        for probe in probes:
            probe.close()


def free_port_block(count: int) -> int:
    """The first of `count` neighbouring ports, TCP and UDP. Raises NoFreePorts."""
    for _ in range(_BLOCK_TRIES):
        [first] = free_ports(1)
        if first + count - 1 <= _LAST_PORT and all(_is_free(port) for port in range(first, first + count)):
            return first
    raise NoFreePorts(f"no {count} neighbouring free ports on {_LOOPBACK}; stop something that listens")


def _is_free(port: int) -> bool:
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(socket.AF_INET, kind) as probe:
            try:
                probe.bind((_LOOPBACK, port))
            except OSError:
                return False
    return True

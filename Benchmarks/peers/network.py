"""A network of this run's own, with nothing in it but a loopback, so that no other machine can reach what is measured.

It takes root; without, everything but what can't be kept to the loopback is measured all the same.
"""

import ctypes
import fcntl
import os
import socket
import struct

CLONE_NEWNET = 0x40000000
SIOCSIFFLAGS = 0x8914
IFF_UP = 1

_is_own = False


def is_own() -> bool:
    return _is_own


def enter() -> None:
    """Moves this process, and those that it will start, to a new network namespace: nothing can be fetched then."""
    global _is_own
    if os.geteuid() or ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET):
        return
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh22x", b"lo", IFF_UP))
    _is_own = True

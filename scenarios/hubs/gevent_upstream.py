"""A request's greenlet reads, without a timeout, from a server that never answers; the hub serves others."""
from gevent import monkey; monkey.patch_all()
import socket

import common


def fetch():
    connection = socket.create_connection(common.upstream())
    common.suspended()
    return connection.recv(1).decode()  # <- guilty


if __name__ == "__main__":
    common.serve_gevent({"/fetch": fetch})

"""A view asks an upstream server over TCP without a timeout; the upstream accepts and never answers."""
import socket

from flask import Flask

import common

app = Flask(__name__)


def ask_upstream(question):
    with socket.create_connection(common.upstream()) as connection:
        connection.sendall(question)
        common.stuck()
        return connection.recv(4096)  # <- guilty


@app.get("/quote")
def quote():
    return ask_upstream(b"quote\n")


if __name__ == "__main__":
    common.serve(app)

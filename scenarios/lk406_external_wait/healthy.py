"""The same question to the same silent upstream; the socket has a timeout, and the view says so."""
import socket

from flask import Flask

import common

app = Flask(__name__)


def ask_upstream(question):
    with socket.create_connection(common.upstream(), timeout=0.5) as connection:
        connection.sendall(question)
        return connection.recv(4096)


@app.get("/quote")
def quote():
    try:
        return ask_upstream(b"quote\n")
    except TimeoutError:
        return "the quote service does not answer\n"


if __name__ == "__main__":
    common.serve(app)

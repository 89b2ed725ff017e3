"""
A server of one thread asks another one of the same process, made by hand: the thread that accepts there also answers, and now
waits for a slow upstream. The second connection stands in its accept queue, but not for ever.
"""
import socket
import threading

from flask import Flask

import common

app = Flask(__name__)
LISTENER = socket.create_server(("127.0.0.1", 0))


def answer_one(connection):
    with socket.create_connection(common.upstream()) as upstream:
        common.waiting("slow")
        connection.sendall(upstream.recv(64))


def serve_prices():
    while True:
        connection = LISTENER.accept()[0]
        answer_one(connection)
        connection.close()


threading.Thread(target=serve_prices, daemon=True).start()
FIRST = socket.create_connection(LISTENER.getsockname())


@app.get("/quote")
def quote():
    with socket.create_connection(LISTENER.getsockname()) as connection:
        common.waiting("asks")
        return connection.recv(64)


if __name__ == "__main__":
    common.serve_single(app)

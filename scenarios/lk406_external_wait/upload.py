"""A client sends half of its request and takes its time: the server waits for a client, as servers do."""
import socket

from flask import Flask

import common

app = Flask(__name__)


@app.post("/upload")
def upload():
    from flask import request
    common.waiting("reading")
    return request.get_data()


def slow_client(port):
    connection = socket.create_connection(("127.0.0.1", port))
    connection.sendall(b"POST /upload HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nhalf")
    return connection


if __name__ == "__main__":
    server = common.make_server(app)
    CLIENT = slow_client(server.port)
    server.serve_forever()

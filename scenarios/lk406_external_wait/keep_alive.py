"""Clients keep their connections open between two requests: a thread waits on each for the next one."""
import http.client
import threading

from flask import Flask
from werkzeug.serving import WSGIRequestHandler

import common

app = Flask(__name__)
WSGIRequestHandler.protocol_version = "HTTP/1.1"


def ask_and_stay(port, kept):
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request("GET", "/ping")
    connection.getresponse().read()
    kept.append(connection)
    common.waiting("kept")


if __name__ == "__main__":
    server = common.make_server(app)
    KEPT = []
    for _ in range(2):
        threading.Thread(target=ask_and_stay, args=(server.port, KEPT), daemon=True).start()
    server.serve_forever()

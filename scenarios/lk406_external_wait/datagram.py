"""A view asks a name server over UDP by hand, without a timeout; the question or the answer was lost."""
import socket

from flask import Flask

import common

app = Flask(__name__)


@app.get("/host")
def host():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as connection:
        connection.connect(("127.0.0.1", 53))
        common.stuck()
        return connection.recv(512)  # <- guilty


if __name__ == "__main__":
    common.serve(app)

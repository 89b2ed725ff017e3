"""A view asks a server in a child process, which has accepted and does not answer."""
import socket
import subprocess
import sys

from flask import Flask

import common

app = Flask(__name__)

SERVER = ("import socket, time; s = socket.create_server(('127.0.0.1', 0)); print(s.getsockname()[1], flush=True); "
          "c = s.accept(); time.sleep(600)")
OTHER = subprocess.Popen([sys.executable, "-c", SERVER], stdout=subprocess.PIPE)
PORT = int(OTHER.stdout.readline())


@app.get("/orders")
def orders():
    with socket.create_connection(("127.0.0.1", PORT)) as connection:
        connection.sendall(b"orders\n")
        common.stuck()
        return connection.recv(64)  # <- guilty


if __name__ == "__main__":
    common.serve(app)

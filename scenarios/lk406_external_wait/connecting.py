"""A view connects to a server whose accept queue is full: the connection never comes about."""
import socket
import subprocess
import sys

from flask import Flask

import common

app = Flask(__name__)

SERVER = ("import socket, time; s = socket.socket(); s.bind(('127.0.0.1', 0)); s.listen(0); "
          "print(s.getsockname()[1], flush=True); time.sleep(600)")
BUSY = subprocess.Popen([sys.executable, "-c", SERVER], stdout=subprocess.PIPE)
PORT = int(BUSY.stdout.readline())
FILL = [socket.socket() for _ in range(4)]
for one in FILL:
    one.setblocking(False)
    one.connect_ex(("127.0.0.1", PORT))


@app.get("/orders")
def orders():
    with socket.socket() as connection:
        common.stuck()
        connection.connect(("127.0.0.1", PORT))  # <- guilty
        return connection.recv(64)


if __name__ == "__main__":
    common.serve(app)

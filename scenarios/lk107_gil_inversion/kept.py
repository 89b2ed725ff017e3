"""A view makes a blocking call in a C library that keeps the GIL: nothing else in Python runs meanwhile."""
import ctypes
import os
import socket
import threading

from flask import Flask

import common

app = Flask(__name__)
library = ctypes.PyDLL(os.path.join(os.environ["SCENARIO_BUILD"], "table.so"))


@app.get("/receive")
def receive():
    peer = socket.create_connection(common.upstream())
    threading.Timer(0.01, print).start()
    common.stuck("guilty-receive")
    library.table_receive(peer.fileno())  # <- guilty-receive
    return "done\n"


@app.get("/sleep")
def sleep():
    threading.Timer(0.01, print).start()
    common.stuck("guilty-sleep")
    library.table_sleep(1000)  # <- guilty-sleep
    return "done\n"


if __name__ == "__main__":
    common.serve(app)

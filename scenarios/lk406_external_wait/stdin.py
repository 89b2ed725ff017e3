"""The main thread reads commands from its terminal; the server runs beside it."""
import os
import pty
import threading

from flask import Flask

import common

app = Flask(__name__)

if __name__ == "__main__":
    MASTER, slave = pty.openpty()
    os.dup2(slave, 0)
    threading.Thread(target=common.serve, args=(app,), daemon=True).start()
    common.waiting("command")
    input()

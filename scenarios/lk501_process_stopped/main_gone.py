"""The main thread starts the server's thread and ends its own with pthread_exit, as a misled embedding does."""
import ctypes
import threading

from flask import Flask

import common

app = Flask(__name__)


@app.get("/hello")
def hello():
    return "hello\n"


if __name__ == "__main__":
    threading.Thread(target=common.serve, args=(app,), name="server").start()
    # The raw system call ends this thread alone and runs no cleanup. PyDLL would keep the GIL: CDLL gives it back.
    ctypes.CDLL(None).syscall(60, 0)

"""A view holds a lock and reads a pipe; the thread that writes into that pipe wants the lock first (pipe + lock)."""
import os
import threading

from flask import Flask

import common

app = Flask(__name__)
LOCK = threading.Lock()
READ, WRITE = os.pipe()
ASKED = threading.Event()


def answer():
    ASKED.wait()
    common.stuck("guilty-writer")
    with LOCK:  # <- guilty-writer
        os.write(WRITE, b"x")


threading.Thread(target=answer, name="answerer", daemon=True).start()


@app.get("/ask")
def ask():
    with LOCK:
        ASKED.set()
        common.stuck("guilty-reader")
        return os.read(READ, 1)  # <- guilty-reader


if __name__ == "__main__":
    common.serve(app)

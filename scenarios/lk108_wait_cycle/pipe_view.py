"""A view joins a thread that reads a pipe of this very process. The writer: none (/lost), or a thread that writes (/found)."""
import os
import threading

from flask import Flask

import common

app = Flask(__name__)


def read(end):
    common.stuck("guilty-reader")
    os.read(end, 1)  # <- guilty-reader


@app.get("/lost")
def lost():
    reading, _writing = os.pipe()
    reader = threading.Thread(target=read, args=(reading,))
    reader.start()
    common.stuck("guilty-view")
    reader.join()  # <- guilty-view
    return "done\n"


@app.get("/found")
def found():
    reading, writing = os.pipe()
    reader = threading.Thread(target=os.read, args=(reading, 1))
    reader.start()
    threading.Timer(0.05, os.write, (writing, b"x")).start()
    reader.join()
    os.close(reading)
    threading.Timer(0.05, os.close, (writing,)).start()
    return "done\n"


if __name__ == "__main__":
    common.serve(app)

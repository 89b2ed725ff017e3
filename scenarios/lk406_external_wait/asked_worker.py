"""Views ask a worker thread by a queue and wait for its answer; the worker asks an upstream server, which stays silent.

SCENARIO_ANSWER: "event", "condition" or "queue" is what the view waits at; "news" (healthy: a long poll): the thread does not work for the
view, it tells whoever waits of what the upstream says next.
"""
import os
import queue
import socket
import threading

from flask import Flask

import common

HOW = os.environ["SCENARIO_ANSWER"]
app = Flask(__name__)
letters = queue.Queue()
readers = []


class Letter:
    def __init__(self):
        self.translated = threading.Event()
        self.changed = threading.Condition()
        self.reply = queue.Queue(1)
        self.text = None


def translate():
    while True:
        letter = letters.get()
        with socket.create_connection(common.upstream()) as connection:
            common.stuck("guilty-translate")
            text = connection.recv(4096)  # <- guilty-translate
        letter.text = text
        if HOW == "event":
            letter.translated.set()
        elif HOW == "queue":
            letter.reply.put(text)
        else:
            with letter.changed:
                letter.changed.notify_all()


def tell():
    with socket.create_connection(common.upstream()) as connection:
        while True:
            text = connection.recv(4096)
            for reader in list(readers):
                reader.text = text
                reader.translated.set()


@app.get("/letter")
def letter():
    mine = Letter()
    letters.put(mine)
    common.stuck()
    if HOW == "event":
        mine.translated.wait()  # <- guilty
    return mine.text


@app.get("/answer")
def answer():
    mine = Letter()
    letters.put(mine)
    common.stuck("guilty-answer")
    return mine.reply.get()  # <- guilty-answer


@app.get("/change")
def change():
    mine = Letter()
    letters.put(mine)
    common.stuck("guilty-change")
    with mine.changed:
        while mine.text is None:
            mine.changed.wait()  # <- guilty-change
    return mine.text


@app.get("/news")
def news():
    mine = Letter()
    readers.append(mine)
    common.waiting()
    mine.translated.wait()
    return mine.text


if __name__ == "__main__":
    threading.Thread(target=tell if HOW == "news" else translate, name="translator", daemon=True).start()
    common.serve(app)

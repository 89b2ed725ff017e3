"""Server-sent events from Flask: each client's request thread waits for the next message, as long as it takes."""
import queue

from flask import Flask, Response

import common

app = common.add_ping(Flask(__name__))
CLIENTS = []


def messages(mine):
    yield "data: hello\n\n"
    common.say("started")
    while True:
        yield "data: %s\n\n" % mine.get()


@app.get("/events")
def events():
    mine = queue.Queue()
    CLIENTS.append(mine)
    return Response(messages(mine), mimetype="text/event-stream")


@app.get("/send")
def send():
    for client in CLIENTS:
        client.put("news")
    return "sent\n"


if __name__ == "__main__":
    common.serve(app)

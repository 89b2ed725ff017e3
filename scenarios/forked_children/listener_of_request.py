"""A view forks a process that listens to a peer which speaks seldom. The request is long answered: the child serves none."""
import multiprocessing
import socket

import flask

import common

app = flask.Flask(__name__)


def listen():
    peer = socket.create_connection(common.upstream())
    common.say("worker")
    while peer.recv(100):
        pass


@app.route("/listen")
def start():
    multiprocessing.get_context("fork").Process(target=listen, daemon=True).start()
    return "started\n"


if __name__ == "__main__":
    common.add_ping(app)
    with app.test_client() as client:
        client.get("/listen")
    common.serve(app)

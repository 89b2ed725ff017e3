"""waitress with two task threads, both of which wait for a job's end that never comes; more requests are queued."""
import queue

import waitress.server
from flask import Flask

import common

app = common.add_ping(Flask(__name__))
RESULTS = queue.Queue()


@app.get("/report")
def report():
    common.stuck()
    return RESULTS.get()  # <- guilty


if __name__ == "__main__":
    server = waitress.server.create_server(app, host="127.0.0.1", port=0, threads=2)
    common.say("listening", port=server.effective_port)
    server.run()

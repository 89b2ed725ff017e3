"""A guest waits at a table for two, and whoever comes next would sit down with him; after SIGTERM the door is closed."""
import signal
import threading
import time

from flask import Flask

import common

app = common.add_ping(Flask(__name__))
TABLE = threading.Barrier(2)


@app.get("/sit/<int:last>")
def sit(last):
    if last:
        common.stuck()
    else:
        common.waiting()
    TABLE.wait()  # <- guilty
    return "served\n"


def guests():
    return [thread for thread in threading.enumerate() if thread is not threading.main_thread()]


if __name__ == "__main__":
    server = common.make_server(app)
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    server.serve_forever()
    server.socket.close()
    common.say("closed")
    while guests():
        time.sleep(0.1)

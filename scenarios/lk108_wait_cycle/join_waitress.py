"""Under waitress: a view holds a service's lock while it joins the service's thread, which wants that lock once more (join + lock)."""
import threading

from flask import Flask

import common

app = Flask(__name__)


class Poller:
    def __init__(self):
        self.lock = threading.RLock()
        self.ending = threading.Event()
        self.thread = threading.Thread(target=self.run, name="poller", daemon=True)
        self.thread.start()

    def run(self):
        self.ending.wait(20)
        common.stuck("guilty-run")
        with self.lock:  # <- guilty-run
            return None

    def stop(self):
        with self.lock:
            self.ending.set()
            common.stuck("guilty-stop")
            self.thread.join()  # <- guilty-stop


POLLER = Poller()


@app.get("/stop")
def stop():
    POLLER.stop()
    return "stopped\n"


if __name__ == "__main__":
    common.serve_waitress(app)

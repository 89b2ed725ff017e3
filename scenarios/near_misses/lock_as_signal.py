"""A Lock as a signal: the view takes it twice, and another thread releases it in between. No self-deadlock."""
import threading
import time

from flask import Flask

import common

app = Flask(__name__)


def work(done):
    time.sleep(0.3)
    done.release()


@app.get("/work")
def work_view():
    done = threading.Lock()
    done.acquire()
    threading.Thread(target=work, args=(done,), name="signaller", daemon=True).start()
    done.acquire()
    return "worked\n"


if __name__ == "__main__":
    common.serve(app)

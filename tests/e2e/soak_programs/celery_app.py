"""A celery worker with two processes, and a thread that gives it work; its broker is a folder."""
import os
import threading
import time

import common
from celery import Celery

FOLDER = os.environ["SCENARIO_FOLDER"]
app = Celery("soak", broker="filesystem://")
app.conf.broker_transport_options = {"data_folder_in": FOLDER, "data_folder_out": FOLDER}


@app.task
def nap(seconds):
    time.sleep(seconds)


def give():
    while True:
        nap.delay(0.5)
        time.sleep(0.4)


if __name__ == "__main__":
    threading.Thread(target=give, daemon=True).start()
    common.say("ready")
    app.worker_main(["worker", "--concurrency", "2", "--loglevel", "error"])

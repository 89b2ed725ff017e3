"""A mailer: the main thread hands out its last letter and is through; the thread that sends waits for the next one.

SCENARIO_MAILER says what it does else: "sentinel" (healthy: the queue is closed behind the last letter), "joined" (the
main thread joins it, which is no end of the program), "fed" (a daemon thread still brings letters), "naps" (it polls),
"beside" (healthy: a daemon thread serves, and may bring letters).
"""
import os
import queue
import socket
import threading
import time

import common

HOW = os.environ.get("SCENARIO_MAILER", "")
letters = queue.Queue()


def send_all():
    while True:
        if letters.empty() and HOW != "sentinel":
            common.stuck()
        letter = letters.get()  # <- guilty
        if letter is None:
            common.say("closed")
            return


def poll():
    common.say("polls")
    while True:
        time.sleep(600)


def feed():
    while True:
        letters.put("daily")
        time.sleep(0.1)


def listen(listener):
    while True:
        listener.accept()


if __name__ == "__main__":
    common.service()
    mailer = threading.Thread(target=poll if HOW == "naps" else send_all, name="mailer")
    letters.put("first")
    mailer.start()
    if HOW == "sentinel":
        letters.put(None)
        time.sleep(600)  # the program is at work
    elif HOW == "joined":
        mailer.join()
    elif HOW == "fed":
        threading.Thread(target=feed, daemon=True).start()
    elif HOW == "beside":
        threading.Thread(target=listen, args=[socket.create_server(("127.0.0.1", 0))], daemon=True).start()
        time.sleep(1.5)  # what the program did until it was told to end
        common.say("ends")

"""Threads wait for the next job and the next message of an upstream that is silent for now; no request is held up."""
import os
import socket
import threading

from flask import Flask

import common

app = Flask(__name__)

READ, WRITE = os.pipe()


def next_job():
    while True:
        with socket.create_connection(common.upstream()) as connection:
            connection.sendall(b"BRPOP jobs 0\r\n")
            common.waiting("consumer")
            if not connection.recv(4096):
                return


def next_event():
    common.waiting("consumer")
    while os.read(READ, 1):
        pass


threading.Thread(target=next_job, name="jobs", daemon=True).start()
threading.Thread(target=next_event, name="events", daemon=True).start()


if __name__ == "__main__":
    common.serve(app)

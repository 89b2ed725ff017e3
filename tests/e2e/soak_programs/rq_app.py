"""An RQ worker, which forks a child for each job, a thread that gives it work, and their redis-server."""
import os
import subprocess
import threading
import time

import common
from redis import Redis
from rq import Queue, Worker

SOCKET = os.path.join(os.environ["SCENARIO_FOLDER"], "redis")


def give(connection):
    queue = Queue(connection=connection)
    while True:
        queue.enqueue(time.sleep, 0.5)
        time.sleep(0.7)


if __name__ == "__main__":
    server = subprocess.Popen(["redis-server", "--port", "0", "--unixsocket", SOCKET, "--save", ""], stdout=subprocess.DEVNULL)
    while not os.path.exists(SOCKET):
        time.sleep(0.05)
    threading.Thread(target=give, args=(Redis(unix_socket_path=SOCKET),), daemon=True).start()
    common.say("ready")
    connection = Redis(unix_socket_path=SOCKET)
    Worker([Queue(connection=connection)], connection=connection).work(logging_level="ERROR")

"""A WSGI application on waitress waits without a timeout for all jobs of a pool; one job waits for a person's word."""
import threading
from concurrent.futures import ThreadPoolExecutor, wait

import waitress

import common

POOL = ThreadPoolExecutor(max_workers=4, thread_name_prefix="jobs")
APPROVED = threading.Event()


def check(number):
    if number == 3:
        common.stuck("waits")
        APPROVED.wait()  # <- waits
    return number


def application(environ, start_response):
    if environ["PATH_INFO"] == "/approve":
        APPROVED.set()
    elif environ["PATH_INFO"] == "/checks":
        jobs = [POOL.submit(check, n) for n in range(4)]
        common.stuck()
        wait(jobs)  # <- guilty
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"pong\n"]


if __name__ == "__main__":
    server = waitress.create_server(application, listen="127.0.0.1:0", threads=4)
    common.say("listening", port=server.effective_port)
    server.run()

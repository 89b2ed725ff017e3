"""A page asks a small service of the same process, whose crew takes its time for an answer, or waits for what nobody tells."""
import http.server
import queue
import socket
import sys
import threading
import time

import common

QUESTIONS = queue.Queue()
INNER = socket.create_server(("127.0.0.1", 0))
RATE_KNOWN = threading.Event()


class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        with socket.create_connection(INNER.getsockname()) as asked:
            asked.sendall(b"rate?\n")
            common.stuck()
            asked.recv(100)  # <- guilty
        self.send_response(200)
        self.end_headers()

    def log_message(self, *args):
        pass


def answer():
    while True:
        connection = QUESTIONS.get()
        connection.recv(100)
        if "slow" in sys.argv:
            time.sleep(20)
        else:
            RATE_KNOWN.wait()
        connection.sendall(b"3\n")
        connection.close()


def accept():
    while True:
        connection, _ = INNER.accept()
        QUESTIONS.put(connection)


if __name__ == "__main__":
    for target in (answer, answer, accept):
        threading.Thread(target=target, daemon=True).start()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
    common.say("listening", port=server.server_port)
    server.serve_forever()

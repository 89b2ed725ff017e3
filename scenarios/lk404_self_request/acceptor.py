"""A server's own acceptor hands connections to a crew of workers; it still knows the last one. A page keeps its visitor's lock and asks another page."""
import http.server
import queue
import select
import threading
import urllib.request

import common

BASKET = threading.RLock()
CONNECTIONS = queue.Queue()


class Shop(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/checkout":
            with BASKET:
                self.ask_prices()
        elif self.path == "/order":
            with BASKET:
                pass
            self.ask_prices()
        else:
            with BASKET:
                pass
        self.send_response(200)
        self.end_headers()

    def ask_prices(self):
        if self.path == "/checkout":
            common.stuck()
        urllib.request.urlopen("http://127.0.0.1:%d/prices" % SERVER.server_port).read()  # <- guilty

    def log_message(self, *args):
        pass


def work():
    while True:
        SERVER.process_request(*CONNECTIONS.get())


def accept():
    while True:
        select.select([SERVER], [], [])
        connection, address = SERVER.get_request()
        CONNECTIONS.put((connection, address))


SERVER = http.server.HTTPServer(("127.0.0.1", 0), Shop)

if __name__ == "__main__":
    for number in range(4):
        threading.Thread(target=work, name="worker-%d" % number, daemon=True).start()
    common.say("listening", port=SERVER.server_port)
    accept()

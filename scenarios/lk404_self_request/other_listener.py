"""A server of one thread asks another server of the same process, whose own thread is at work on the answer."""
import http.server
import threading
import time
import urllib.request

from flask import Flask

import common

app = Flask(__name__)


class Prices(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        common.waiting("slow")
        for _ in range(400):
            time.sleep(0.02)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"42\n")

    def log_message(self, *_):
        pass


PRICES = http.server.HTTPServer(("127.0.0.1", 0), Prices)
threading.Thread(target=PRICES.serve_forever, daemon=True).start()


@app.get("/quote")
def quote():
    with urllib.request.urlopen("http://127.0.0.1:%d/" % PRICES.server_address[1]) as answer:
        return answer.read()


if __name__ == "__main__":
    common.serve_single(app)

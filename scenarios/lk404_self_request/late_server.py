"""The main thread asks its own server, whose thread takes its time before it begins to serve."""
import http.server
import threading
import time
import urllib.request

import common


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()


SERVER = http.server.HTTPServer(("127.0.0.1", 0), Handler)


def serve_later():
    common.waiting("preparing")
    time.sleep(30)
    SERVER.serve_forever()


if __name__ == "__main__":
    threading.Thread(target=serve_later, daemon=True).start()
    common.say("listening", port=SERVER.server_address[1])
    urllib.request.urlopen("http://127.0.0.1:%d/" % SERVER.server_address[1])

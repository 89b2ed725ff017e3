"""A program opens its listening socket and, before it serves, asks itself whether it is well."""
import http.server
import urllib.request

import common


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()


def check(server):
    common.stuck()
    urllib.request.urlopen("http://127.0.0.1:%d/" % server.server_address[1])  # <- guilty


if __name__ == "__main__":
    SERVER = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    common.say("listening", port=SERVER.server_address[1])
    check(SERVER)
    SERVER.serve_forever()

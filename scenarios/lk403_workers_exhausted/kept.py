"""A server of one thread reads one connection after the other to its end: a client that says nothing more keeps it from all others."""
import http.server

import common


class Clock(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "5")
        self.end_headers()
        self.wfile.write(b"12:00")

    def log_message(self, *args):
        pass


if __name__ == "__main__":
    server = http.server.HTTPServer(("127.0.0.1", 0), Clock)
    common.say("listening", port=server.server_port)
    common.stuck()
    server.serve_forever()  # <- guilty

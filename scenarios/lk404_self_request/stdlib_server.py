"""The standard library's HTTP server, which handles one request at a time; the handler asks itself with http.client."""
import http.client
import http.server

import common


class Handler(http.server.BaseHTTPRequestHandler):
    def fetch(self, path):
        connection = http.client.HTTPConnection(*self.server.server_address)
        connection.request("GET", path)
        common.stuck()
        return connection.getresponse().read()  # <- guilty

    def do_GET(self):
        body = b"42\n" if self.path == "/price" else self.fetch("/price")
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    common.say("listening", port=server.server_address[1])
    server.serve_forever()

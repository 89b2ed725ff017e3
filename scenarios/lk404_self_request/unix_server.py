"""A server of one thread on a unix socket; its handler asks the same socket."""
import os
import socket
import socketserver
import subprocess
import sys

import common

CLIENT = "import socket, sys; s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); s.sendall(b'quote\\n'); s.recv(1)"


class Handler(socketserver.StreamRequestHandler):
    def ask(self, question):
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(self.server.server_address)
            connection.sendall(question)
            common.stuck()
            return connection.recv(4096)  # <- guilty

    def handle(self):
        question = self.rfile.readline()
        self.wfile.write(b"42\n" if question == b"price\n" else self.ask(b"price\n"))


if __name__ == "__main__":
    server = socketserver.UnixStreamServer(os.path.join(os.environ["SCENARIO_FOLDER"], "quotes.sock"), Handler)
    client = subprocess.Popen([sys.executable, "-c", CLIENT, server.server_address])
    common.say("listening", port=0)
    server.serve_forever()

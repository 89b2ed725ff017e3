"""A server of one's own calls an application by the interface (PEP 3333) alone; that asks an upstream which never answers."""
import io
import socket
import threading

import common


def price(environ, start_response):
    body = b"pong\n"
    if environ["PATH_INFO"] == "/price":
        connection = socket.create_connection(common.upstream())
        common.stuck()
        body = connection.recv(100)  # <- guilty
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]


def answer(connection, call):
    with connection:
        line = connection.makefile("rb").readline().decode()
        head = []

        def respond(status, headers):
            head.append("HTTP/1.1 %s\r\n%s\r\n\r\n" % (status, "\r\n".join("%s: %s" % h for h in headers)))
        body = call({"REQUEST_METHOD": "GET", "PATH_INFO": line.split()[1], "wsgi.input": io.BytesIO()}, respond)
        connection.sendall(head[0].encode() + b"".join(body))


def main():
    listener = socket.create_server(("127.0.0.1", 0))
    common.say("listening", port=listener.getsockname()[1])
    while True:
        threading.Thread(target=answer, args=(listener.accept()[0], price), daemon=True).start()


if __name__ == "__main__":
    main()

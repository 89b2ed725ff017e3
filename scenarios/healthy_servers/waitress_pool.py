"""A WSGI application on waitress: more clients than threads, quick and slower requests, and all of it idle."""
import time

import waitress

import common


def application(environ, start_response):
    if environ["PATH_INFO"] == "/work":
        time.sleep(0.1)
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"pong\n"]


if __name__ == "__main__":
    server = waitress.create_server(application, listen="127.0.0.1:0", threads=2)
    common.say("listening", port=server.effective_port)
    server.run()

"""A view of a WSGI application on waitress enters asyncio.Runner for each request."""
import asyncio

import waitress

import common


async def report():
    await asyncio.gather(asyncio.sleep(120), asyncio.sleep(60))
    return b"reported\n"


def application(environ, start_response):
    body = b"pong\n"
    if environ["PATH_INFO"] == "/report":
        with asyncio.Runner() as runner:
            common.stuck()
            body = runner.run(report())  # <- guilty
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [body]


if __name__ == "__main__":
    server = waitress.create_server(application, listen="127.0.0.1:0", threads=4)
    common.say("listening", port=server.effective_port)
    server.run()

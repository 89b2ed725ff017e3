"""A WSGI application on waitress serves a feed by uvloop's run_forever() in the request.

uvloop's methods leave no Python frame, so it looks as if the loop were run until something completes.
"""
import asyncio

import uvloop
import waitress

import common


async def feed(items):
    while True:
        await items.get()


def application(environ, start_response):
    if environ["PATH_INFO"] == "/feed":
        loop = uvloop.new_event_loop()
        loop.create_task(feed(asyncio.Queue()))
        common.stuck()
        loop.run_forever()  # <- guilty
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"pong\n"]


if __name__ == "__main__":
    server = waitress.create_server(application, listen="127.0.0.1:0", threads=4)
    common.say("listening", port=server.effective_port)
    server.run()

"""An ASGI application on uvicorn: starlette's plain endpoints (anyio's threads), coroutines, and a WSGI application."""
import logging
import socket

import uvicorn
from asgiref.wsgi import WsgiToAsgi
from flask import Flask
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route

import common
import service

flask_app = Flask(__name__)
flask_app.add_url_rule("/work", "work", service.work)


def work(request):
    return PlainTextResponse(service.work())


async def work_async(request):
    return PlainTextResponse(await service.work_async())


async def slow(request):
    return PlainTextResponse(await service.slow_async())


async def ping(request):
    return PlainTextResponse("pong\n")


app = Starlette(routes=[Route("/ping", ping), Route("/work", work), Route("/async", work_async), Route("/slow", slow),
                        Mount("/wsgi", WsgiToAsgi(flask_app))], on_startup=[service.start])


if __name__ == "__main__":
    listener = socket.create_server(("127.0.0.1", 0))
    common.say("listening", port=listener.getsockname()[1])
    logging.getLogger("uvicorn").setLevel(logging.ERROR)
    config = uvicorn.Config(app, log_level="error", loop="asyncio", lifespan="on")
    uvicorn.Server(config).run(sockets=[listener])

"""An ASGI application for gunicorn with uvicorn's workers: coroutines in flight, WSGI by asgiref's adapter beside them."""
import asyncio
import time

from asgiref.wsgi import WsgiToAsgi
from flask import Flask
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route

flask_app = Flask(__name__)


@flask_app.get("/rows")
def rows():
    time.sleep(0.1)
    return "rows\n"


async def wait(request):
    await asyncio.sleep(0.3)
    return PlainTextResponse("waited\n")


async def ping(request):
    return PlainTextResponse("pong\n")


app = Starlette(routes=[Route("/ping", ping), Route("/wait", wait), Mount("/wsgi", WsgiToAsgi(flask_app))])

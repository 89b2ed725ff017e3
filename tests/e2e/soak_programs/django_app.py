"""Django's own server with threads: a view that sleeps, and an async one that goes through asgiref."""
import asyncio
import socket
import time

import common
import django
from django.conf import settings
from django.core.servers.basehttp import run
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse
from django.urls import path

settings.configure(DEBUG=False, SECRET_KEY="soak", ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"], LOGGING_CONFIG=None)


def plain(request):
    time.sleep(0.02)
    return HttpResponse("ok")


async def in_async(request):
    await asyncio.sleep(0.02)
    return HttpResponse("ok")


urlpatterns = [path("", plain), path("async", in_async)]

if __name__ == "__main__":
    django.setup()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    common.say("listening", port=port)
    run("127.0.0.1", port, get_wsgi_application(), threading=True)

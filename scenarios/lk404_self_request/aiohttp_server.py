"""An aiohttp handler asks its own server with a synchronous client: the loop's thread waits for what only it could accept."""
import urllib.request

from aiohttp import web

import common


def fetch(url):
    common.stuck()
    with urllib.request.urlopen(url) as answer:  # <- guilty
        return answer.read()


async def price(_):
    return web.Response(text="42\n")


async def quote(request):
    return web.Response(body=fetch("http://127.0.0.1:%d/price" % request.app["port"]))


async def announce(app):
    app["port"] = app["socket"].getsockname()[1]
    common.say("listening", port=app["port"])


if __name__ == "__main__":
    import socket

    application = web.Application()
    application["socket"] = socket.create_server(("127.0.0.1", 0))
    application.router.add_get("/price", price)
    application.router.add_get("/quote", quote)
    application.on_startup.append(announce)
    web.run_app(application, sock=application["socket"], print=None, handle_signals=False)

"""An ASGI application below hypercorn's trio worker: a ring of tasks, a blocking call, a starved limiter; /ok and /thread are answered."""
import os
import time

import hypercorn.config
import hypercorn.trio
import trio

import common

lock = limiter = None


async def needs():
    common.suspended("ring-child")
    async with lock:  # <- ring-child
        pass


async def ring():
    async with lock:
        common.suspended("ring-parent")
        async with trio.open_nursery() as children:  # <- ring-parent
            children.start_soon(needs)


async def block():
    common.stuck("block")
    time.sleep(600)  # <- block


def outer():
    time.sleep(0.3)
    common.stuck("starve")
    trio.from_thread.run(run_limited, int)  # <- starve


async def run_limited(work):
    await trio.to_thread.run_sync(work, limiter=limiter)


async def starve():
    await run_limited(outer)


async def thread():
    await run_limited(lambda: time.sleep(0.01))


async def ok():
    await trio.sleep(0.01)


async def ping():
    pass

VIEWS = {"/ring": ring, "/block": block, "/starve": starve, "/thread": thread, "/ok": ok, "/ping": ping}


async def app(scope, receive, send):
    global lock, limiter
    if scope["type"] == "lifespan":
        lock, limiter = trio.Lock(), trio.CapacityLimiter(2)
        while True:
            message = await receive()
            await send({"type": message["type"] + ".complete"})
            if message["type"] == "lifespan.shutdown":
                return
    await VIEWS[scope["path"]]()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


config = hypercorn.config.Config()
config.bind = ["127.0.0.1:" + os.environ.get("PORT", "0")]


async def main():
    import socket
    with socket.socket() as probe:  # hypercorn does not say which port it got
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    config.bind = ["127.0.0.1:%d" % port]
    async with trio.open_nursery() as program:
        await program.start(lambda task_status: hypercorn.trio.serve(app, config, task_status=task_status))
        common.say("listening", port=port)

trio.run(main)

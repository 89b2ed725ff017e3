"""An ASGI application on uvicorn: its views run on a pool of two threads, and ask this very server for what needs such a thread, too.

SCENARIO_GUARD says who ends a request that takes too long: nobody, a deadline around the view, a timer that cancels the
request's task, or a watchdog, a task that goes through all requests now and then.
"""
import asyncio
import concurrent.futures
import os
import threading
import time
import urllib.request

import common

GUARD = os.environ.get("SCENARIO_GUARD", "")
TOO_LONG = 600
POOL = concurrent.futures.ThreadPoolExecutor(2)
BOTH = threading.Barrier(2)
REQUESTS = set()


def price(port):
    return b"42\n"


def quote(port):
    BOTH.wait()
    common.stuck()
    with urllib.request.urlopen("http://127.0.0.1:%d/price" % port) as answer:  # <- guilty
        return answer.read()


async def watch(requests):
    while True:
        await asyncio.sleep(5)
        now = time.monotonic()
        for task, since in list(requests):
            if now - since > TOO_LONG:
                task.cancel()


async def view(scope):
    loop = asyncio.get_running_loop()
    work = {"/price": price, "/quote": quote}[scope["path"]]
    return await loop.run_in_executor(POOL, work, scope["server"][1])


async def guarded(scope):
    task = asyncio.current_task()
    if GUARD == "deadline":
        return await asyncio.wait_for(view(scope), TOO_LONG)
    if GUARD == "timer":
        asyncio.get_running_loop().call_later(TOO_LONG, task.cancel)
    if GUARD == "watchdog":
        if not REQUESTS:
            app.watchdog = asyncio.ensure_future(watch(REQUESTS))
        REQUESTS.add((task, time.monotonic()))
    return await view(scope)


async def app(scope, receive, send):
    body = b"pong\n" if scope["path"] == "/ping" else await guarded(scope)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body})


if __name__ == "__main__":
    common.serve_uvicorn(app)

"""Flask under uWSGI, with a loop on a thread of the application's own."""
import asyncio
import threading
import urllib.request

from flask import Flask, request

import common

app = application = common.add_ping(Flask(__name__))
loop = asyncio.new_event_loop()
began = threading.Event()


async def beat():
    while True:
        began.set()
        await asyncio.sleep(0.05)


def run():
    loop.create_task(beat())
    loop.run_forever()


threading.Thread(target=run, name="loop", daemon=True).start()
began.wait()
common.say("loaded")


@app.get("/ask")
def ask():
    common.stuck()
    return asyncio.run_coroutine_threadsafe(asyncio.sleep(0.1, "done\n"), loop).result()  # <- guilty


@app.get("/work")
def work():
    return asyncio.run_coroutine_threadsafe(asyncio.sleep(0.1, "done\n"), loop).result()


@app.get("/quote")
def quote():
    common.stuck("guilty-quote")
    with urllib.request.urlopen("http://127.0.0.1:%s/ping" % request.environ["SERVER_PORT"]) as answer:  # <- guilty-quote
        return answer.read()

"""A suite whose last test deadlocks two event loops, beside a live server that polls for ever. Run by watchdog.py."""
import asyncio
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest


@pytest.fixture(scope="module")
def live_server():
    server = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    yield server
    server.shutdown()


def loop_in_thread(name):
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name=name, daemon=True).start()
    return loop


def test_fine(live_server):
    assert live_server.server_port


def test_two_loops(live_server):
    first, second = loop_in_thread("first"), loop_in_thread("second")

    async def answer():
        return 42

    async def ask_back(loop):
        return asyncio.run_coroutine_threadsafe(answer(), loop).result()

    async def ask(other, loop):
        return asyncio.run_coroutine_threadsafe(ask_back(loop), other).result()  # the guilty line

    assert asyncio.run_coroutine_threadsafe(ask(second, first), first).result() == 42

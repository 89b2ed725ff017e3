"""A small HTTP server on trio: it answers at once, after a while, from a worker thread, or by way of tasks of its own."""
import time

import trio

import common


async def at_once():
    return b"pong\n"


async def slow():
    await trio.sleep(0.05)
    return b"slow\n"


async def thread():
    await trio.to_thread.run_sync(time.sleep, 0.02)
    return b"thread\n"


async def tasks():
    put, get = trio.open_memory_channel(0)
    async with trio.open_nursery() as children:
        children.start_soon(put.send, b"tasks\n")
        return await get.receive()

VIEWS = {"/ping": at_once, "/slow": slow, "/thread": thread, "/tasks": tasks}


async def serve(stream):
    head = b""
    while b"\r\n\r\n" not in head:
        more = await stream.receive_some(4096)
        if not more:
            return
        head += more
    body = await VIEWS[head.split()[1].decode()]()
    await stream.send_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
    await stream.aclose()


async def main():
    listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
    common.say("listening", port=listeners[0].socket.getsockname()[1])
    await trio.serve_listeners(serve, listeners)


if __name__ == "__main__":
    trio.run(main)

"""The same, and the child blocks its own loop, below the parent's that it inherited: that one is told."""
import asyncio
import os
import socket

import common


async def ask():
    peer = socket.create_connection(common.upstream())
    common.stuck()
    peer.recv(100)  # <- guilty


async def beat():
    while True:
        await asyncio.sleep(0.2)


async def work():
    await asyncio.gather(beat(), ask())


def child():
    asyncio._set_running_loop(None)
    pid = os.getpid()
    try:
        asyncio.new_event_loop().run_until_complete(work())
    finally:
        os._exit(pid == 0)


async def main():
    pid = os.fork()
    if pid == 0:
        child()
    common.say("listening", port=None)
    while True:
        await asyncio.sleep(0.2)


if __name__ == "__main__":
    asyncio.run(main())

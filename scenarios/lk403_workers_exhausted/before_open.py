"""A server whose socket listens before it serves, as with a socket that was handed to it: it waits for what nobody tells."""
import asyncio
import socket
import sys

import common


async def answer(reader, writer):
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    writer.close()


async def main(listener, retries):
    told = asyncio.Event()
    while retries:
        await asyncio.sleep(8)
    common.suspended()
    await told.wait()  # <- guilty
    await asyncio.start_server(answer, sock=listener)


if __name__ == "__main__":
    listener = socket.create_server(("127.0.0.1", 0))
    common.say("listening", port=listener.getsockname()[1])
    asyncio.run(main(listener, "retries" in sys.argv))

"""A coroutine of Flask's asks a server of its own again and again, and is answered each time."""
import asyncio
import subprocess
import sys

from flask import Flask

import common

app = Flask(__name__)
ECHO = """
import socket
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
peer = listener.accept()[0]
while (data := peer.recv(100)):
    peer.sendall(data)
"""


@app.get("/many")
async def many():
    peer = subprocess.Popen([sys.executable, "-c", ECHO], stdout=subprocess.PIPE, text=True)
    reader, writer = await asyncio.open_connection("127.0.0.1", int(peer.stdout.readline()))
    common.say("started")
    for number in range(1_000_000):
        writer.write(b"%d\n" % number)
        await reader.readline()
    return "asked\n"


if __name__ == "__main__":
    common.serve(app)

"""Quart on uvicorn with redis.asyncio: a feed of messages, which may be silent for long; and a request that asks for an answer nobody gives."""
import socket

import redis.asyncio
import uvicorn
from quart import Quart

import common
import systems

app = Quart(__name__)
client = redis.asyncio.from_url(systems.redis())
silent = redis.asyncio.Redis(host=common.upstream()[0], port=common.upstream()[1], socket_timeout=None, socket_connect_timeout=None)


@app.get("/feed")
async def feed():
    async def messages():
        async with client.pubsub() as pubsub:
            await pubsub.subscribe("news")
            common.say("subscribed")
            async for message in pubsub.listen():
                yield "data: %s\n\n" % message["data"]
    return messages(), {"Content-Type": "text/event-stream"}


@app.get("/next")
async def next_message():
    """A long poll."""
    async with client.pubsub() as pubsub:
        await pubsub.subscribe("news")
        common.say("subscribed")
        while True:
            message = await pubsub.get_message(ignore_subscribe_messages=True, timeout=None)
            if message:
                return str(message["data"])


@app.get("/count")
async def count():
    return str(await client.incr("visits"))


@app.get("/ask")
async def ask():
    """A server that accepts and stays silent."""
    common.suspended()
    return str(await silent.get("answer"))  # <- guilty


@app.get("/ping")
async def ping():
    return "pong\n"


if __name__ == "__main__":
    listener = socket.create_server(("127.0.0.1", 0))
    common.say("listening", port=listener.getsockname()[1])
    uvicorn.Server(uvicorn.Config(app, log_level="error", loop="asyncio")).run(sockets=[listener])

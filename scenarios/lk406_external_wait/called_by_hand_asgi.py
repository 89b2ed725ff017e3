"""A server of one's own calls an application by the ASGI interface alone: for a request that asks a silent upstream, and for its lifespan."""
import asyncio

import common


class Shop:
    async def __call__(self, scope, receive, send):
        if scope["type"] == "lifespan":
            self.reader, self.writer = await asyncio.open_connection(*common.upstream())
            common.say("lifespan")
            await self.reader.readline()
        if scope["path"] == "/price":
            reader, self.kept = await asyncio.open_connection(*common.upstream())
            common.suspended()
            await reader.readline()  # <- guilty
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"5")]})
        await send({"type": "http.response.body", "body": b"pong\n"})


class Server:
    def __init__(self, application):
        self.application = application

    async def answer(self, reader, writer):
        line = await reader.readline()

        async def receive():
            return {"type": "http.disconnect"}

        async def send(message):
            writer.write(message.get("body") or b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")
        await self.application({"type": "http", "path": line.decode().split()[1]}, receive, send)
        writer.close()

    async def run(self):
        server = await asyncio.start_server(self.answer, "127.0.0.1", 0)
        lifespan = asyncio.ensure_future(self.application({"type": "lifespan"}, None, None))
        common.say("listening", port=server.sockets[0].getsockname()[1])
        await lifespan


if __name__ == "__main__":
    asyncio.run(Server(Shop()).run())

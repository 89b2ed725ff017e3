"""The main thread's coroutine is parked on `await asyncio.Future()`; the server runs in a thread."""
import asyncio
import threading

from flask import Flask

import common

app = Flask(__name__)


@app.get("/hello")
def hello():
    return "hello\n"


async def main():
    threading.Thread(target=common.serve, args=(app,), name="server", daemon=True).start()
    await asyncio.Future()


if __name__ == "__main__":
    asyncio.run(main())

"""A server loads its model, in its lifespan handler, before it opens its socket: nobody can be waiting for it yet."""
import contextlib

import uvicorn
from starlette.applications import Starlette

import common


def load(seconds=600):
    import time
    common.stuck()
    time.sleep(seconds)  # <- guilty


@contextlib.asynccontextmanager
async def lifespan(app):
    common.service()
    load()
    yield


if __name__ == "__main__":
    uvicorn.run(Starlette(lifespan=lifespan), host="127.0.0.1", port=0, log_level="error", loop="asyncio")

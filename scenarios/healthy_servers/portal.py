"""A threaded server whose views call coroutines through anyio's blocking portal, in flight."""
import anyio
from anyio.from_thread import start_blocking_portal
from flask import Flask

import common

app = Flask(__name__)


async def fetch():
    await anyio.sleep(0.3)
    return "fetched\n"


if __name__ == "__main__":
    with start_blocking_portal() as portal:
        app.add_url_rule("/fetch", "fetch", lambda: portal.call(fetch))
        common.serve(app)

"""Near miss: asyncio.run() on a pool's worker, for which the request waits: no request thread runs a loop."""
import asyncio
from concurrent.futures import ThreadPoolExecutor

from flask import Flask

import common

app = Flask(__name__)
POOL = ThreadPoolExecutor(max_workers=4, thread_name_prefix="runner")


async def fetch():
    await asyncio.sleep(0.3)
    return "fetched\n"


def run_fetch():
    return asyncio.run(fetch())


@app.get("/fetch")
def fetch_view():
    return POOL.submit(run_fetch).result(timeout=30)


if __name__ == "__main__":
    common.serve(app)

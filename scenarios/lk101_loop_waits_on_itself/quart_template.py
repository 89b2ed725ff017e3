"""Quart: a template helper moves a lookup to a pool, waits for it on the loop's thread, and the lookup needs that loop."""
import asyncio
from concurrent.futures import ThreadPoolExecutor

from quart import Quart

import common

app = Quart(__name__)
POOL = ThreadPoolExecutor(3)


async def fetch_profile():
    await asyncio.sleep(0)
    return "profile"


def lookup(loop):
    future = asyncio.run_coroutine_threadsafe(fetch_profile(), loop)
    common.stuck("guilty-lookup")
    return future.result()  # <- guilty-lookup


class Template:
    def __init__(self, text):
        self.text = text

    def render(self, loop):
        found = POOL.submit(lookup, loop)
        common.stuck("guilty-render")
        return self.text % found.result()  # <- guilty-render


PAGE = Template("<b>%s</b>")


@app.route("/user")
async def user():
    return PAGE.render(asyncio.get_running_loop())


if __name__ == "__main__":
    common.serve_uvicorn(app)

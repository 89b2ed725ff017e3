"""A coroutine awaits the end of a child before it reads what the child writes: the loop stops reading at its limit, and the pipe is full."""
import asyncio
import sys

from aiohttp import web

import common


async def log(request):
    child = await asyncio.create_subprocess_exec(sys.executable, "-c", "print('commit ' * 60000)", stdout=asyncio.subprocess.PIPE)
    common.suspended()
    await child.wait()  # <- guilty
    return web.Response(body=await child.stdout.read())


if __name__ == "__main__":
    common.serve_aiohttp({"/log": log})

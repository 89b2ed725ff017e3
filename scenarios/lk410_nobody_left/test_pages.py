"""Tests on a loop of their own: one waits for a page that nobody will put, since who was to has failed; one for a slow one."""
import asyncio
import os
import readline  # noqa: F401 - as pytest does; it catches SIGWINCH, which ends nobody's wait
import sys
import unittest

import common


async def fails(pages):
    await pages.put(12 // 0)


async def takes_its_time(pages):
    await asyncio.sleep(3600)
    await pages.put(12)


async def next_page(pages):
    common.suspended()
    return await pages.get()  # <- guilty


class Pages(unittest.IsolatedAsyncioTestCase):
    async def read(self, printer):
        pages = asyncio.Queue()
        self.printer = asyncio.ensure_future(printer(pages))
        self.assertEqual(await next_page(pages), 12)

    async def test_lost(self):
        await self.read(fails)

    async def test_slow(self):
        await self.read(takes_its_time)


if __name__ == "__main__":
    common.service()
    unittest.main(argv=sys.argv[:1], defaultTest="Pages." + os.environ["SCENARIO_TEST"])

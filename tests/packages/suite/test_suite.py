import asyncio
import threading
import time

import pytest


def test_before():
    assert True


def test_two_locks():
    print("about to hang")
    a, b = threading.Lock(), threading.Lock()
    ready = threading.Barrier(2)

    def other():
        with b:
            ready.wait()
            with a:
                pass

    threading.Thread(target=other, daemon=True).start()
    with a:
        ready.wait()
        with b:
            pass


def test_between():
    assert 1 + 1 == 2


def test_slow():
    time.sleep(5)


def test_loop_waits_for_itself():
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, daemon=True).start()

    async def inner():
        return 1

    async def outer():
        return asyncio.run_coroutine_threadsafe(inner(), loop).result()

    assert asyncio.run_coroutine_threadsafe(outer(), loop).result() == 1


@pytest.mark.asyncio
async def test_ring():
    tasks = []

    async def first():
        await tasks[1]

    async def second():
        await tasks[0]

    tasks += [asyncio.ensure_future(first()), asyncio.ensure_future(second())]
    await asyncio.gather(*tasks)


@pytest.mark.anyio
async def test_anyio_blocks_loop():
    import concurrent.futures
    loop = asyncio.get_running_loop()

    async def work():
        return 2

    asyncio.run_coroutine_threadsafe(work(), loop).result()


@pytest.mark.asyncio
async def test_asyncio_goes_on():
    await asyncio.sleep(0.1)


def test_fails():
    assert 1 == 2


def test_after():
    assert True

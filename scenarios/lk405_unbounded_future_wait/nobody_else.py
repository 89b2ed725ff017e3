"""Requests that are tasks wait for what nobody else has, or what those who have it use no more; and beside them for what somebody may end."""
import asyncio
import gc
import weakref

from aiohttp import web

import common

JOBS = []
SUBSCRIBERS = weakref.WeakSet()
BOOKINGS = {}


async def knit(order, yarn):
    """Nobody keeps what it waits for, so it may be collected, and with it goes the order."""
    await yarn
    order.set_result("knitted\n")


async def knitted(request):
    order = asyncio.get_event_loop().create_future()
    asyncio.ensure_future(knit(order, asyncio.get_event_loop().create_future()))
    await asyncio.sleep(0.1)
    gc.collect()
    common.suspended("guilty-knitted")
    return web.Response(text=await order)  # <- guilty-knitted


async def persist(orders):
    """Takes being given up for being disturbed."""
    while True:
        try:
            return await orders.get()  # <- guilty-persist
        except asyncio.CancelledError:
            common.suspended("guilty-persist")


async def first_order(request):
    try:
        return web.Response(text=await asyncio.wait_for(persist(asyncio.Queue()), 0.2))
    except asyncio.TimeoutError:
        return web.Response(text="none\n")


async def pack(parcels):
    """Forgets to say of one kind that it is done."""
    while True:
        parcel = await parcels.get()
        if parcel != "fragile":
            parcels.task_done()


async def packed(request):
    """Other requests and the server's own tasks have the application, and with it the queue."""
    parcels = request.app["parcels"]
    for parcel in "light", "fragile", "heavy":
        parcels.put_nowait(parcel)
    common.suspended("guilty-packed")
    await parcels.join()  # <- guilty-packed
    return web.Response(text="packed\n")


async def weigh(parcels):
    while True:
        await parcels.get()
        await asyncio.sleep(3600)
        parcels.task_done()


async def weighed(request):
    """A task that sleeps has taken one, and will report it done."""
    parcels = request.app["weighed"]
    parcels.put_nowait("heavy")
    common.suspended("weighed")
    await parcels.join()  # <- weighed
    return web.Response(text="weighed\n")


async def slow(request):
    """A request in flight, which has the application too."""
    await asyncio.sleep(3600)
    return web.Response(text="slow\n")


async def parked(request):
    """Until the client goes."""
    common.suspended("parked")
    await asyncio.Future()  # <- parked


async def subscribed(request):
    """Whoever publishes finds the queue by a weak reference."""
    news = asyncio.Queue()
    SUBSCRIBERS.add(news)
    common.suspended("subscribed")
    return web.Response(text=await news.get())  # <- subscribed


async def publish(request):
    for news in SUBSCRIBERS:
        news.put_nowait("news\n")
    return web.Response(text="published\n")


async def booked(request):
    """Another request finds it by its number, and completes it."""
    BOOKINGS["7"] = asyncio.get_event_loop().create_future()
    common.suspended("booked")
    return web.Response(text=await BOOKINGS["7"])  # <- booked


async def confirm(request):
    BOOKINGS.pop("7").set_result("booked\n")
    return web.Response(text="confirmed\n")


async def open_shop(app):
    app["parcels"], app["weighed"] = asyncio.Queue(), asyncio.Queue()
    JOBS.append(asyncio.ensure_future(pack(app["parcels"])))
    JOBS.append(asyncio.ensure_future(weigh(app["weighed"])))


if __name__ == "__main__":
    common.serve_aiohttp({"/" + view.__name__: view for view in (
        knitted, first_order, packed, weighed, slow, parked, subscribed, publish, booked, confirm)}, [open_shop])

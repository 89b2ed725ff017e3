"""Near misses: requests wait for something that other code of the program is going to end, or may be called to.

Another request: /listen (an event in a list), /watch (a hub's event), /closure (a view of an application's own making),
/borrow (a key that /return gives back). A worker: /job (by a queue), /call (a queue of functions), /later (a timer),
/task (a coroutine), /pool (a pool's worker).
"""
import asyncio
import concurrent.futures
import queue
import threading
import time

from flask import Flask

import common

app = common.add_ping(Flask(__name__))
LISTENERS = []
KEYS = threading.Semaphore(0)
JOBS, CALLS = queue.Queue(), queue.Queue()
POOL = concurrent.futures.ThreadPoolExecutor(1)
LOOP = asyncio.new_event_loop()
threading.Thread(target=LOOP.run_forever, name="bg-loop", daemon=True).start()


class Hub:
    def __init__(self):
        self.changed = threading.Event()

    def watch(self):
        common.waiting()
        self.changed.wait()

    def publish(self):
        self.changed.set()


HUB = Hub()


@app.get("/listen")
def listen():
    news = threading.Event()
    LISTENERS.append(news)
    common.waiting()
    news.wait()
    return "news\n"


def tell_all():
    for news in LISTENERS:
        news.set()


@app.get("/news")
def news_view():
    tell_all()
    return "told\n"


@app.get("/watch")
def watch():
    HUB.watch()
    return "changed\n"


@app.get("/publish")
def publish():
    HUB.publish()
    return "published\n"


def add_closures(application):
    opened = threading.Event()

    @application.get("/closure")
    def closure():
        common.waiting()
        opened.wait()
        return "open\n"

    @application.get("/open")
    def open_it():
        opened.set()
        return "opened\n"


add_closures(app)


@app.get("/borrow")
def borrow():
    common.waiting()
    KEYS.acquire()
    return "key\n"


@app.get("/return")
def give_back():
    KEYS.release()
    return "thanks\n"


def work():
    while True:
        done = JOBS.get()
        time.sleep(600)
        done.set()


def call():
    while True:
        function, arguments = CALLS.get()
        function(*arguments)


for target in (work, call):
    threading.Thread(target=target, name=target.__name__, daemon=True).start()


@app.get("/job")
def job():
    done = threading.Event()
    JOBS.put(done)
    common.waiting()
    done.wait()
    return "done\n"


@app.get("/call")
def call_view():
    done = threading.Event()
    CALLS.put((sleep_and_set, (done,)))
    common.waiting()
    done.wait()
    return "done\n"


def sleep_and_set(done):
    time.sleep(600)
    done.set()


@app.get("/later")
def later():
    done = threading.Event()
    timer = threading.Timer(600, done.set)
    timer.daemon = True
    timer.start()
    common.waiting()
    done.wait()
    return "done\n"


async def sleep_on_loop(done):
    await asyncio.sleep(600)
    done.set()


@app.get("/task")
def task():
    done = threading.Event()
    asyncio.run_coroutine_threadsafe(sleep_on_loop(done), LOOP)
    common.waiting()
    done.wait()
    return "done\n"


@app.get("/pool")
def pool():
    done = threading.Event()
    POOL.submit(sleep_and_set, done)
    common.waiting()
    done.wait()
    return "done\n"


BELL = threading.Condition()
RUNG = []


def ring():
    RUNG.append(True)
    with BELL:
        BELL.notify_all()


@app.get("/bell")
def bell():
    with BELL:
        while not RUNG:
            common.waiting()
            BELL.wait()
    return "rung\n"


@app.get("/ring")
def ring_view():
    ring()
    return "ringing\n"


if __name__ == "__main__":
    common.serve(app)

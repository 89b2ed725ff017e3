"""Who awaits a future that a job's callback would set, while a thread sets it first: the job holds up nobody."""
import asyncio
import threading
import time

from flask import Flask, jsonify

import common

app = Flask(__name__)
LEDGER_LOCK = threading.Lock()
LOOP = asyncio.new_event_loop()


def write_entry():
    with LEDGER_LOCK:
        return 1


def settle(copy, value):
    if not copy.done():
        copy.set_result(value)


def give_up(copy):
    time.sleep(0.2)
    LOOP.call_soon_threadsafe(settle, copy, 0)


async def book():
    copy = LOOP.create_future()
    entry = LOOP.run_in_executor(None, write_entry)
    entry.add_done_callback(lambda done: settle(copy, done.result()))
    threading.Thread(target=give_up, args=(copy,), name="watchdog").start()
    return await copy


@app.get("/book")
def book_view():
    with LEDGER_LOCK:
        written = asyncio.run_coroutine_threadsafe(book(), LOOP).result(timeout=30)
    return jsonify(written=written)


if __name__ == "__main__":
    threading.Thread(target=LOOP.run_forever, name="ledger-loop", daemon=True).start()
    common.serve(app)

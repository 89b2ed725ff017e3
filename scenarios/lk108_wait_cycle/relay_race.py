"""Two jobs' callbacks complete one future, whichever is done first: one wants the waiter's lock, the other only takes its time."""
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


def ask_archive():
    time.sleep(60)
    return 0


async def book(jobs):
    copy = LOOP.create_future()

    def hand_on(done):
        if not copy.done():
            copy.set_result(done.result())
    for job in jobs:
        LOOP.run_in_executor(None, job).add_done_callback(hand_on)
    return await copy


ORDERS = {"slow_first": (ask_archive, write_entry), "slow_last": (write_entry, ask_archive)}


@app.get("/book/<order>")
def book_view(order):
    with LEDGER_LOCK:
        entry = asyncio.run_coroutine_threadsafe(book(ORDERS[order]), LOOP)
        common.stuck("guilty-view")
        written = entry.result()  # <- guilty-view
    return jsonify(written=written)


if __name__ == "__main__":
    threading.Thread(target=LOOP.run_forever, name="ledger-loop", daemon=True).start()
    common.serve(app)

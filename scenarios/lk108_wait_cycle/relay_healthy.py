"""The same ways to await the job; the view lets go of the ledger before it waits."""
import asyncio
import threading
import time

from flask import Flask, jsonify

import common
import relays

app = Flask(__name__)
LEDGER_LOCK = threading.Lock()
LOOP = asyncio.new_event_loop()


def write_entry():
    time.sleep(0.05)
    with LEDGER_LOCK:
        return 1


async def book(way):
    return await relays.WAYS[way](LOOP.run_in_executor(None, write_entry))


@app.get("/book/<way>")
def book_view(way):
    with LEDGER_LOCK:
        entry = asyncio.run_coroutine_threadsafe(book(way), LOOP)
    return jsonify(written=entry.result(timeout=10))


if __name__ == "__main__":
    threading.Thread(target=LOOP.run_forever, name="ledger-loop", daemon=True).start()
    common.serve(app)

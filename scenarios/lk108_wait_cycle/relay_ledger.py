"""The view keeps the ledger locked until its coroutine is done; the coroutine's job, in a pool, wants to lock it too."""
import asyncio
import threading

from flask import Flask, jsonify

import common
import relays

app = Flask(__name__)
LEDGER_LOCK = threading.Lock()
LOOP = asyncio.new_event_loop()


def write_entry():
    common.stuck("guilty-writer")
    with LEDGER_LOCK:  # <- guilty-writer
        return 1


async def book(way):
    return await relays.WAYS[way](LOOP.run_in_executor(None, write_entry))


@app.get("/book/<way>")
def book_view(way):
    with LEDGER_LOCK:
        entry = asyncio.run_coroutine_threadsafe(book(way), LOOP)
        common.stuck("guilty-view")
        written = entry.result()  # <- guilty-view
    return jsonify(written=written)


if __name__ == "__main__":
    threading.Thread(target=LOOP.run_forever, name="ledger-loop", daemon=True).start()
    common.serve(app)

"""An idle background loop and idle executor threads beside a server with quick requests."""
import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

from flask import Flask

import common

app = Flask(__name__)
LOOP = asyncio.new_event_loop()
threading.Thread(target=LOOP.run_forever, name="bg-loop", daemon=True).start()
POOL = ThreadPoolExecutor(max_workers=4, thread_name_prefix="pool")
BARRIER = threading.Barrier(4)
for warmed in [POOL.submit(BARRIER.wait) for _ in range(4)]:
    warmed.result(timeout=10)


@app.get("/hello")
def hello():
    return "hello\n"


if __name__ == "__main__":
    common.serve(app)

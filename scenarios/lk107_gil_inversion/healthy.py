"""The same extension and library; whoever waits for the mutex has given the GIL up."""
import ctypes
import os
import sys

from flask import Flask

import common

sys.path.insert(0, os.environ["SCENARIO_BUILD"])
import store  # noqa: E402

app = Flask(__name__)
table = ctypes.CDLL(os.path.join(os.environ["SCENARIO_BUILD"], "table.so"))
VISIT = ctypes.CFUNCTYPE(None)


@app.get("/lookup")
def lookup():
    store.careful_lookup()
    table.table_lookup()
    return "done\n"


@app.get("/refresh")
def refresh():
    table.table_walk(VISIT(lambda: sum(range(100))), 0)
    return "done\n"


if __name__ == "__main__":
    common.serve(app)

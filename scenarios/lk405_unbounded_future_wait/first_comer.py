"""The first request for a sheet draws it, the later ones wait for it. /sheet/0 returns early, and never says that it has finished."""
import threading

from flask import Flask

import common

app = common.add_ping(Flask(__name__))
GUARD = threading.Lock()
DRAWINGS = {}


class Drawing:
    def __init__(self):
        self.finished = threading.Event()
        self.lines = None


@app.get("/sheet/<int:scale>")
def sheet(scale):
    with GUARD:
        drawing = DRAWINGS.get("sheet")
        first = drawing is None
        if first:
            drawing = DRAWINGS["sheet"] = Drawing()
    if first:
        if not scale:
            return "nothing to draw\n"
        drawing.lines = 100 // scale
        drawing.finished.set()
    else:
        common.stuck()
        drawing.finished.wait()  # <- guilty
    return "%s\n" % drawing.lines


if __name__ == "__main__":
    common.serve(app)

"""The same, done well: modules are imported to their end before a thread needs them. Many threads import all the time."""
import importlib
import itertools
import os
import sys
import tempfile
import threading

from flask import Flask

import common

app = Flask(__name__)
FOLDER = tempfile.TemporaryDirectory(prefix="scenario-")
sys.path.insert(0, FOLDER.name)
numbers = itertools.count()


@app.get("/load")
def load():
    """A module that takes its time, imported by two threads at once."""
    name = "scenario_module_%d" % next(numbers)
    with open(os.path.join(FOLDER.name, name + ".py"), "w", encoding="utf-8") as file:
        file.write("import time\ntime.sleep(0.02)\nANSWER = 42\n")
    importlib.invalidate_caches()
    thread = threading.Thread(target=importlib.import_module, args=(name,))
    thread.start()
    answer = importlib.import_module(name).ANSWER
    thread.join()
    return "%d\n" % answer


if __name__ == "__main__":
    common.serve(app)

"""A module's top level takes a lock on import; a thread that holds this lock imports that module."""
import threading

from flask import Flask

import common
import settings

app = Flask(__name__)


@app.get("/first")
def first():
    import plugin_module  # its top level takes settings.LOCK
    return plugin_module.NAME


@app.get("/second")
def second():
    with settings.LOCK:
        settings.SECOND_HOLDS.set()
        settings.IMPORTING.wait(20)
        common.stuck("guilty-import")
        import plugin_module  # <- guilty-import
        return plugin_module.NAME


if __name__ == "__main__":
    common.serve(app)

"""Imported late, by a request."""
import threading

import common
import settings


def register():
    settings.IMPORTING.set()
    settings.SECOND_HOLDS.wait(20)
    common.stuck("guilty-register")
    with settings.LOCK:  # <- guilty-register
        return "plugin\n"


NAME = register()

"""Requests that wait on purpose: for an event, for a message, for a greenlet that sleeps."""
from gevent import monkey; monkey.patch_all()
import time

import gevent
from gevent.event import Event
from gevent.queue import Queue

import common

EVENT, MESSAGES = Event(), Queue()


def event():
    common.waiting()
    EVENT.wait()
    return "came\n"


def message():
    common.waiting()
    return MESSAGES.get()


def later():
    common.waiting()
    gevent.spawn(time.sleep, 600).join()
    return "over\n"


if __name__ == "__main__":
    common.serve_gevent({"/event": event, "/message": message, "/later": later})

"""The parent is through and waits for its children, each of which waits for an item that nobody puts.

SCENARIO_CHILDREN: "fed" (one of them brings items from time to time).
"""
import multiprocessing
import os
import time

import common


def consume(items):
    while True:
        common.waiting("consumes")
        items.get()


def produce(items):
    common.waiting("consumes")
    while True:
        time.sleep(600)
        items.put("late")


if __name__ == "__main__":
    common.service()
    context = multiprocessing.get_context("fork")
    items = context.Queue()
    fed = os.environ.get("SCENARIO_CHILDREN") == "fed"
    for work in (consume, produce if fed else consume):
        context.Process(target=work, args=[items]).start()

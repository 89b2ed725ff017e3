"""A bookkeeper's helper process takes the lock of the books that both share. SCENARIO_HELPER says what becomes of it.

killed: with the lock in its hands. alive: it goes on. waits: killed, and the bookkeeper waits for word of it, not for the lock.
"""
import multiprocessing
import os
import time

import common

if __name__ == "__main__":
    context = multiprocessing.get_context("fork")
    books, word, taken = context.Lock(), context.Event(), context.Event()

    def help_out():
        with books:
            taken.set()
            time.sleep(3600)

    common.say("listening", port=0)
    how = os.environ["SCENARIO_HELPER"]
    helper = context.Process(target=help_out, daemon=True)
    helper.start()
    taken.wait()
    if how != "alive":
        helper.kill()
        helper.join()
    if how == "waits":
        common.waiting()
        word.wait()
    common.stuck()
    with books:  # <- guilty
        print("written")

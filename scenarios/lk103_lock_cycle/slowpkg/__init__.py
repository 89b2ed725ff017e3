import threading

import common


def warm_up():
    common.stuck("guilty-warm")
    from slowpkg import ANSWER  # <- guilty-warm
    return ANSWER


def start():
    thread = threading.Thread(target=warm_up, name="warm-up")
    thread.start()
    common.stuck("guilty-start")
    thread.join()  # <- guilty-start


start()
ANSWER = 42

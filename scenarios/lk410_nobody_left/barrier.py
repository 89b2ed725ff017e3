"""Three threads are to start together, and only two were made: they and the main thread, which joins them, wait for ever."""
import threading

import common

START = threading.Barrier(3)


def run():
    common.stuck()
    START.wait()  # <- guilty


def main():
    common.service()
    runners = [threading.Thread(target=run, name="runner-%d" % number) for number in range(2)]
    for runner in runners:
        runner.start()
    for runner in runners:
        runner.join()


if __name__ == "__main__":
    main()

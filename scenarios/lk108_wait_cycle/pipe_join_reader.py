"""The main thread joins a thread that reads a pipe; only this process could write into it, and nothing in it will."""
import os
import threading

import common


def read(end):
    common.stuck("guilty-reader")
    os.read(end, 1)  # <- guilty-reader


def main():
    reading, _writing = os.pipe()
    reader = threading.Thread(target=read, args=(reading,))
    reader.start()
    common.stuck("guilty-main")
    reader.join()  # <- guilty-main


if __name__ == "__main__":
    common.say("listening", port=None)
    main()

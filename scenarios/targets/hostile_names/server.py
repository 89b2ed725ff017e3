"""Threads, functions and files with names that attack a reader: control characters, markup, commands, bytes that are no UTF-8.

usage: server.py FOLDER SECRET-FILE      makes a FIFO and a symbolic link to SECRET-FILE in FOLDER and uses both as the
"source files" of functions that block. Prints one line of JSON: {"ready", "pid", "threads"}; then sleeps.
"""
import ctypes
import json
import os
import sys
import threading
import time

PR_SET_NAME = 15
EVIL = ["\x1b[31mevil\x1b]0;evil\x07", "evil\nsecond::error::line", "\n::error::evil", "evil]]>", "<script>evil(1)</script>",
        "evil\udcff\udcfe", "evil\u202egnp.exe", "evil`|*_[x](javascript:1)", "evil" * 5000, "\r::set-output name=evil::x", "evil\x00\x9b2J"]
STARTED = threading.Semaphore(0)


def block(function_name, file_name, tids):
    """Runs a function of that name, from a file of that name, that sleeps on its line 7."""
    source = "\n" * 4 + "def f(sleep, started):\n    started()\n    sleep(10000)\n"
    space = {}
    exec(compile(source, "placeholder", "exec"), space)
    code = space["f"].__code__
    new = {"co_name": function_name, "co_filename": file_name}
    if sys.version_info >= (3, 11):
        new["co_qualname"] = function_name
    space["f"].__code__ = code.replace(**new)

    def run():
        ctypes.CDLL(None).prctl(PR_SET_NAME, os.fsencode(function_name.encode("utf-8", "surrogateescape")[:15].replace(b"\0", b"?")))
        tids.append(threading.get_native_id())
        space["f"](time.sleep, STARTED.release)

    threading.Thread(target=run, name=function_name, daemon=True).start()


def main():
    folder, secret = sys.argv[1:3]
    fifo, link = os.path.join(folder, "fifo.py"), os.path.join(folder, "link.py")
    os.mkfifo(fifo)
    os.symlink(secret, link)
    tids = []
    places = [(name, "/tmp/%s.py" % name) for name in EVIL]
    places += [("evil_fifo", fifo), ("evil_link", link), ("evil_device", "/dev/zero"), ("evil_proc", "/proc/self/mem"),
               ("evil_relative", "../../../../../../etc/passwd"), ("evil_folder", folder)]
    for function_name, file_name in places:
        block(function_name, file_name, tids)
    for _ in places:
        STARTED.acquire()
    print(json.dumps({"ready": True, "pid": os.getpid(), "threads": tids}), flush=True)
    time.sleep(10000)


if __name__ == "__main__":
    main()

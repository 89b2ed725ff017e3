"""Filters that threads and a loop ask line by line; most of the time all wait for one another's next line."""
import asyncio
import subprocess
import threading
import time

import common


def ask():
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        while True:
            child.stdin.write(b"question\n")
            child.stdin.flush()
            child.stdout.readline()
            time.sleep(0.2)


def fed_by_timer():
    child = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def feed():
        child.stdin.write(b"line\n")
        child.stdin.flush()
        timer = threading.Timer(4, feed)
        timer.daemon = True
        timer.start()

    feed()
    for _ in child.stdout:
        pass


async def ask_on_loop():
    child = await asyncio.create_subprocess_exec("cat", stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    while True:
        child.stdin.write(b"question\n")
        await child.stdout.readline()
        await asyncio.sleep(0.3)


async def naps():
    while True:
        child = await asyncio.create_subprocess_exec("sleep", "4")
        await child.wait()


async def main():
    for target in (ask, fed_by_timer):
        threading.Thread(target=target, daemon=True).start()
    common.say("ready")
    await asyncio.gather(ask_on_loop(), naps())


if __name__ == "__main__":
    asyncio.run(main())

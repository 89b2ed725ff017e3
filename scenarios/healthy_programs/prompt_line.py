"""Somebody has entered time.sleep(600) at the prompt of python -m asyncio, which runs each line in a callback of its loop."""
import os
import signal
import subprocess
import sys

import common

LINE = "import os, time; os.write(%d, b'.') and time.sleep(600)\n"

if __name__ == "__main__":
    common.service()
    began, tell = os.pipe()
    prompt = subprocess.Popen([sys.executable, "-m", "asyncio"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL, pass_fds=[tell])
    prompt.stdin.write((LINE % tell).encode())
    prompt.stdin.flush()
    os.read(began, 1)
    os.write(1, b'{"event": "worker", "pid": %d}\n' % prompt.pid)
    signal.pause()

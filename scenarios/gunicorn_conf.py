"""gunicorn's configuration for the scenarios: a free loopback port, announced; no worker outlives its master."""
import ctypes
import json
import os
import signal

bind = "127.0.0.1:0"
worker_class = os.environ.get("SCENARIO_WORKER_CLASS", "gthread")
workers = int(os.environ.get("SCENARIO_WORKERS", "1"))
threads = int(os.environ.get("SCENARIO_THREADS", "8"))
preload_app = bool(os.environ.get("SCENARIO_PRELOAD"))
timeout = int(os.environ.get("SCENARIO_TIMEOUT", "0"))
graceful_timeout = int(os.environ.get("SCENARIO_GRACE", "1"))
loglevel = "error"

_PR_SET_PDEATHSIG = 1


def when_ready(server):
    port = server.LISTENERS[0].getsockname()[1]
    os.write(1, json.dumps({"event": "listening", "port": port, "pid": os.getpid()}).encode() + b"\n")


def post_fork(server, worker):
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    os.write(1, json.dumps({"event": "worker", "pid": os.getpid()}).encode() + b"\n")

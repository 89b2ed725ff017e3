#!/usr/bin/python3
"""Runs a command beside a PostgreSQL and a redis of its own, and ends them with it.

    tests/systems/services.py COMMAND...

Both listen on ports of 127.0.0.1 that the kernel chooses, keep what they have in a folder that goes with them, and are ended by their
process ids. The command finds them by SYSTEMS_POSTGRES and SYSTEMS_REDIS, each HOST:PORT. As root, PostgreSQL runs as Debian's
user postgres, since it refuses to be root.
"""
import contextlib
import glob
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time

PATIENCE = 30.0


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def wait_for(process, port):
    deadline = time.monotonic() + PATIENCE
    with open(process.log.name, encoding="utf-8", errors="replace") as log:
        while True:
            with socket.socket() as client:
                if client.connect_ex(("127.0.0.1", port)) == 0:
                    return
            if process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit("services: %s does not listen:\n%s" % (process.args[0], log.read()))
            time.sleep(0.05)


@contextlib.contextmanager
def service(command, port, log, **popen):
    """The process of a command that listens on the port in the end; SIGINT ends both kinds at once."""
    with open(log, "wb") as file:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=file, stderr=file, **popen)
        process.log = file
        try:
            wait_for(process, port)
            yield
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@contextlib.contextmanager
def postgres(folder):
    programs = max(glob.glob("/usr/lib/postgresql/*/bin"), key=lambda path: int(path.split("/")[-2]))
    data, port = os.path.join(folder, "postgres"), free_port()
    user = {"user": "postgres", "group": "postgres", "extra_groups": []} if os.geteuid() == 0 else {}
    os.mkdir(data, 0o700)
    if user:
        import shutil
        shutil.chown(data, "postgres", "postgres")
    subprocess.run([programs + "/initdb", "-D", data, "-U", "postgres", "-A", "trust"], check=True, cwd="/",
                   stdout=subprocess.DEVNULL, **user)
    settings = {"port": port, "listen_addresses": "127.0.0.1", "unix_socket_directories": "", "fsync": "off", "max_connections": 200}
    command = [programs + "/postgres", "-D", data] + [word for name, value in settings.items() for word in ("-c", "%s=%s" % (name, value))]
    with service(command, port, os.path.join(folder, "postgres.log"), cwd="/", **user):
        yield "127.0.0.1:%d" % port


@contextlib.contextmanager
def redis(folder):
    port = free_port()
    command = ["redis-server", "--bind", "127.0.0.1", "--port", str(port), "--save", "", "--dir", folder, "--databases", "1000"]
    with service(command, port, os.path.join(folder, "redis.log")):
        yield "127.0.0.1:%d" % port


def main():
    with tempfile.TemporaryDirectory(prefix="loopknot-systems-") as folder:
        os.chmod(folder, 0o755)
        with postgres(folder) as at, redis(folder) as beside:
            return subprocess.call(sys.argv[1:], env=dict(os.environ, SYSTEMS_POSTGRES=at, SYSTEMS_REDIS=beside))


if __name__ == "__main__":
    sys.exit(main())

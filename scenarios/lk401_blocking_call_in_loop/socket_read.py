"""A coroutine on the background loop reads a socket the blocking way; the peer stays silent."""
import asyncio
import socket
import threading

from flask import Flask

import common

app = Flask(__name__)
LOOP = asyncio.new_event_loop()
threading.Thread(target=LOOP.run_forever, name="bg-loop", daemon=True).start()


def query(sql):
    with socket.create_connection(common.upstream()) as connection:
        connection.settimeout(None)
        connection.sendall(sql.encode() + b"\n")
        common.stuck()
        return connection.recv(4096)  # <- guilty


async def count_users():
    return query("SELECT count(*) FROM users")


async def version():
    return "1.0\n"


@app.get("/users")
def users_view():
    future = asyncio.run_coroutine_threadsafe(count_users(), LOOP)
    common.waiting()
    return future.result()


@app.get("/version")
def version_view():
    future = asyncio.run_coroutine_threadsafe(version(), LOOP)
    common.waiting()
    return future.result()


if __name__ == "__main__":
    common.serve(app)

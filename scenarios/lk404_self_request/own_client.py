"""The main thread asks a server made by hand in another thread of its process, which answers slowly and one after the other."""
import socket
import threading
import time

import common


def serve(listener):
    while True:
        connection = listener.accept()[0]
        common.waiting("slow")
        time.sleep(8)
        connection.sendall(b"42\n")
        connection.close()


if __name__ == "__main__":
    LISTENER = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=serve, args=(LISTENER,), daemon=True).start()
    common.say("listening", port=0)
    FIRST = socket.create_connection(LISTENER.getsockname())
    with socket.create_connection(LISTENER.getsockname()) as second:
        second.recv(64)

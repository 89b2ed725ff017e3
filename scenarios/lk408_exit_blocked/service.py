"""A service that is threads alone: one reads a feed that is silent now, one works off what that brings; the main program set them up and is over."""
import queue
import socket
import threading
import time

import common

quotes = queue.Queue()


def read_feed(peer):
    while True:
        quotes.put(peer.recv(100))


def store():
    while True:
        quotes.get()


if __name__ == "__main__":
    common.service()
    threading.Thread(target=read_feed, args=[socket.create_connection(common.upstream())], name="feed").start()
    threading.Thread(target=store, name="store").start()
    time.sleep(1.5)  # the rest of the set-up
    common.say("ends")

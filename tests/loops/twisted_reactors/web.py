"""twisted.web on the reactor that REACTOR names, one hang a path; /later and /thread are answered."""
import os
import sys
import threading
import time

import common

REACTOR = os.environ.get("REACTOR", "epoll")
if REACTOR == "asyncio":
    import asyncio
    from twisted.internet import asyncioreactor
    asyncioreactor.install(asyncio.new_event_loop())
elif REACTOR == "select":
    from twisted.internet import selectreactor
    selectreactor.install()
elif REACTOR == "poll":
    from twisted.internet import pollreactor
    pollreactor.install()

from twisted.internet import defer, reactor, task, threads
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Site

WORKERS = 2
LOCK = threading.Lock()
waiting = []


def nested():
    time.sleep(0.3)
    common.stuck("starve")
    return threads.blockingCallFromThread(reactor, threads.deferToThread, lambda: b"x")  # <- starve


def nested_with_timeout():
    def ask():
        return threads.deferToThread(lambda: b"x").addTimeout(3600, reactor)
    time.sleep(0.3)
    common.stuck("timed")
    return threads.blockingCallFromThread(reactor, ask)  # <- timed


@defer.inlineCallbacks
def generator():
    yield defer.succeed(None)
    yield threads.deferToThread(lambda: b"x")


def nested_generator(timeout=None):
    def ask():
        deferred = generator()
        return deferred.addTimeout(timeout, reactor) if timeout else deferred
    time.sleep(0.3)
    common.stuck("generator")
    return threads.blockingCallFromThread(reactor, ask)  # <- generator


def sleeps():
    """Waits for a generator that waits for a timer."""
    @defer.inlineCallbacks
    def later():
        yield task.deferLater(reactor, 3600, int)
    common.say("sleeps")
    return threads.blockingCallFromThread(reactor, later)


def fired_by_thread():
    """Waits for a Deferred that another thread fires."""
    deferred = defer.Deferred()

    def fire():
        time.sleep(3600)
        reactor.callFromThread(deferred.callback, b"x")
    threading.Thread(target=fire, daemon=True).start()
    common.say("sleeps")
    return threads.blockingCallFromThread(reactor, lambda: deferred)


def asks_back(done):
    threads.blockingCallFromThread(reactor, lambda: b"")
    done.set()


class Site_(Resource):
    isLeaf = True

    def render_GET(self, request):
        return getattr(self, request.path[1:].decode())(request)

    def answer(self, result, request):
        request.write(result)
        request.finish()

    def later_(self, deferred, request):
        deferred.addCallback(self.answer, request)
        return NOT_DONE_YET

    def ping(self, request):
        return b"pong\n"

    def starve(self, request):
        return self.later_(threads.deferToThread(nested), request)

    def timed(self, request):
        return self.later_(threads.deferToThread(nested_with_timeout), request)

    def generators(self, request):
        return self.later_(threads.deferToThread(nested_generator), request)

    def generators_timed(self, request):
        return self.later_(threads.deferToThread(nested_generator, 3600), request)

    def sleeping(self, request):
        return self.later_(threads.deferToThread(sleeps), request)

    def fired(self, request):
        return self.later_(threads.deferToThread(fired_by_thread), request)

    def own(self, request):
        common.stuck("own")
        return threads.blockingCallFromThread(reactor, lambda: b"1")  # <- own

    def join(self, request):
        thread = threading.Thread(target=asks_back, args=(threading.Event(),))
        thread.start()
        common.stuck("join")
        thread.join()  # <- join
        return b""

    def block(self, request):
        common.stuck("block")
        time.sleep(600)  # <- block
        return b""

    def lock(self, request):
        LOCK.acquire()
        common.stuck("lock")
        LOCK.acquire()  # <- lock
        return b""

    def poll(self, request):
        deferred = defer.Deferred()
        waiting.append(deferred)
        common.say("polls")
        return self.later_(deferred, request)

    def later(self, request):
        deferred = defer.Deferred()
        reactor.callLater(0.05, deferred.callback, b"later\n")
        return self.later_(deferred, request)

    def thread(self, request):
        return self.later_(threads.deferToThread(time.sleep, 0.05).addCallback(lambda _: b"thread\n"), request)

    def back(self, request):
        """A worker asks the reactor, which answers."""
        return self.later_(threads.deferToThread(threads.blockingCallFromThread, reactor, lambda: b"back\n"), request)


reactor.suggestThreadPoolSize(WORKERS)
port = reactor.listenTCP(0, Site(Site_()), interface="127.0.0.1")
common.say("listening", port=port.getHost().port)
reactor.run()
sys.exit(0)

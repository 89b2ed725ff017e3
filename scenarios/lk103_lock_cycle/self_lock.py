"""A service class whose public method holds its Lock and calls another public method that takes it again."""
import threading

import common


class Registry:
    def __init__(self):
        self._lock = threading.Lock()
        self._entries = {"a": 1}

    def size(self):
        common.stuck()
        with self._lock:  # <- guilty
            return len(self._entries)

    def describe(self):
        with self._lock:
            return "%d entries\n" % self.size()


REGISTRY = Registry()

if __name__ == "__main__":
    common.serve_plain({"/describe": REGISTRY.describe})

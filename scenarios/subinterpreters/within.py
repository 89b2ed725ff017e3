"""Code in an interpreter beside the main one, by what each CPython has for that."""
import os
import sys
import threading

import common

HERE = os.path.dirname(os.path.abspath(__file__))


def enter(function):
    """Made by this thread, entered by another one, which runs a function of the program there."""
    try:
        import _interpreters as interpreters
    except ImportError:
        import _xxsubinterpreters as interpreters
    # up to 3.11 there are no threads in one that shares nothing
    own = interpreters.create() if sys.version_info >= (3, 12) else interpreters.create(isolated=False)
    run = getattr(interpreters, "exec", None) or interpreters.run_string
    program = os.path.splitext(os.path.basename(sys.argv[0]))[0]
    code = "import sys; sys.path[:0] = %r; import %s; %s.%s()" % (
        [HERE, os.path.dirname(common.__file__)], program, program, function)
    threading.Thread(target=run, args=(own, code), name="enters", daemon=True).start()


def park():
    common.say("listening", port=None)
    threading.Event().wait()

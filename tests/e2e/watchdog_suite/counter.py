"""Writes the name of every signal it gets to a file, one a line; ends when told by a second SIGTERM or by name. Run by watchdog.py."""
import signal
import sys
import time

out = open(sys.argv[1], "a", buffering=1, encoding="ascii")
last = sys.argv[2] if len(sys.argv) > 2 else None


def note(number, _frame):
    name = signal.Signals(number).name
    out.write(name + "\n")
    if name == last:
        time.sleep(0.3)  # one that is delivered twice must have the time to be
        sys.exit(42)


for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2, signal.SIGTERM, signal.SIGCONT,
               signal.SIGALRM):
    signal.signal(number, note)
out.write("ready\n")
while True:
    time.sleep(0.05)

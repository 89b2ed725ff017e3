"""Each request takes the next item from a producer that is a greenlet, and leaves it suspended."""
import greenlet
from flask import Flask

import common

app = Flask(__name__)
LEFT = []


def produce():
    item = 0
    while True:
        greenlet.getcurrent().parent.switch(item)
        item += 1


@app.get("/next")
def next_view():
    producer = greenlet.greenlet(produce)
    del LEFT[:-8]
    LEFT.append(producer)
    return "%d\n" % (producer.switch() + producer.switch())


if __name__ == "__main__":
    common.serve(app)

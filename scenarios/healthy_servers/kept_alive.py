"""Plain quick views; what is special are the clients: connections that are kept, busy ones and idle ones."""
from flask import Flask

import common

app = common.add_ping(Flask(__name__))


@app.get("/hello")
def hello():
    return "hello\n"

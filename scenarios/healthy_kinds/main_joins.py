"""The main thread joins the server's thread."""
import threading

from flask import Flask

import common

app = Flask(__name__)


@app.get("/hello")
def hello():
    return "hello\n"


if __name__ == "__main__":
    server = threading.Thread(target=common.serve, args=(app,), name="server")
    server.start()
    server.join()

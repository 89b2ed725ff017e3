"""Nothing is wrong with this server, except that somebody stopped its process."""
from flask import Flask

import common

app = Flask(__name__)


@app.get("/hello")
def hello():
    return "hello\n"


if __name__ == "__main__":
    common.serve(app)

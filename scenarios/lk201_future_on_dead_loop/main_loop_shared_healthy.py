"""The same two views as async views: Flask gives each request a loop."""
import asyncio

from flask import Flask, jsonify

import common

app = Flask(__name__)


async def quick():
    await asyncio.sleep(0.1)
    return "quick"


async def slow():
    await asyncio.sleep(0.5)
    return "slow"


@app.get("/quick")
async def quick_view():
    return jsonify(result=await quick())


@app.get("/slow")
async def slow_view():
    return jsonify(result=await slow())


if __name__ == "__main__":
    common.serve(app)

"""asgiref's bridges in flight: async_to_sync in the view, sync_to_async (both kinds) below it."""
import time

from asgiref.sync import async_to_sync, sync_to_async
from flask import Flask

import common

app = Flask(__name__)


def blocking_query():
    time.sleep(0.3)
    return "rows"


@async_to_sync
async def report():
    in_thread = await sync_to_async(blocking_query, thread_sensitive=False)()
    in_caller = await sync_to_async(blocking_query, thread_sensitive=True)()
    return "%s %s\n" % (in_thread, in_caller)


@app.get("/report")
def report_view():
    return report()


if __name__ == "__main__":
    common.serve(app)

"""A dask cluster of two processes, at work."""
import time

import common
from distributed import Client, LocalCluster


def work(number):
    time.sleep(0.3)
    return number


if __name__ == "__main__":
    client = Client(LocalCluster(n_workers=2, threads_per_worker=2, dashboard_address=None))
    common.say("ready")
    while True:
        client.gather(client.map(work, range(20), pure=False))
        time.sleep(0.5)

"""A service that is no server: its main thread waits for the jobs of a ProcessPoolExecutor as long as they take."""
import time
from concurrent.futures import ProcessPoolExecutor

import common


def job(number):
    common.say("started")
    time.sleep(3600)
    return number


def main():
    with ProcessPoolExecutor(max_workers=2) as pool:
        jobs = [pool.submit(job, n) for n in range(4)]
        common.service()
        return sum(j.result() for j in jobs)


if __name__ == "__main__":
    main()

"""A Jupyter kernel that runs one cell after the other: they compute, sleep, wait for a pool of their own."""
import common
from jupyter_client.manager import start_new_kernel

CELLS = (
    "import time; time.sleep(4)",
    "sum(n * n for n in range(3000000))",
    "from concurrent.futures import ThreadPoolExecutor as Pool\nwith Pool(2) as pool: list(pool.map(time.sleep, [1] * 4))",
    "import asyncio; await asyncio.sleep(4)",
)

if __name__ == "__main__":
    _, client = start_new_kernel(kernel_name="python3")
    common.say("ready")
    while True:
        for cell in CELLS:
            client.execute_interactive(cell)

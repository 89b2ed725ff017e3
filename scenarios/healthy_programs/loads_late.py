"""Near miss of loads_model: the same start, but the socket was opened before: clients stand in line at it."""
import socket

import uvicorn

import loads_model

if __name__ == "__main__":
    listener = socket.create_server(("127.0.0.1", 0))
    app = loads_model.Starlette(lifespan=loads_model.lifespan)
    uvicorn.Server(uvicorn.Config(app, log_level="error", loop="asyncio")).run(sockets=[listener])

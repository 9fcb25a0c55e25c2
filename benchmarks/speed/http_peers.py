"""What a service would be without what makes it one: `python -m benchmarks.speed.http_peers NAME [FILE]`, on FM_HTTP_PORT.

All run on uvicorn, uvloop and httptools, as the product does.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

NAME, *ARGUMENTS = sys.argv[1:]


async def hello(_request: Request) -> Response:
    """The smallest answer; of the size of a case's where a file says how large that is."""
    return Response(CONTENT, media_type="application/json")


async def sink(request: Request) -> Response:
    """Reads a body, and drops it."""
    size = 0
    try:
        async for piece in request.stream():
            size += len(piece)
    except ClientDisconnect:
        return Response(status_code=400)
    return Response(str(size), 201)


async def file(_request: Request) -> Response:
    """A file, in the framework's own way."""
    return FileResponse(ARGUMENTS[0])


CONTENT = Path(ARGUMENTS[0]).read_bytes() if NAME == "hello" and ARGUMENTS else b'{"status":"alive"}'
APPLICATIONS = {"hello": (hello, "GET"), "sink": (sink, "POST"), "file": (file, "GET")}

if __name__ == "__main__":
    work, method = APPLICATIONS[NAME]
    routes = [Route("/health/live", hello), Route("/{rest:path}", work, methods=[method])]
    port = int(os.environ["FM_HTTP_PORT"])
    uvicorn.run(
        Starlette(routes=routes), port=port, loop="uvloop", http="httptools", access_log=False, log_level="error"
    )

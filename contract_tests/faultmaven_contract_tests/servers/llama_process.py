"""llama.cpp's own server, as the package xllamacpp brings it, making embeddings: `python llama_process.py MODEL PORT NAME KEY`."""

from __future__ import annotations

import signal
import sys

import xllamacpp


def main() -> None:
    """Serve until a signal comes."""
    model, port, name, key = sys.argv[1:]
    parameters = xllamacpp.CommonParams()
    parameters.model.path = model
    parameters.model_alias = {name}
    parameters.hostnames, parameters.port = ["127.0.0.1"], int(port)
    parameters.api_keys = [key]
    # It reads slowly: what is longer than this is refused, as longer texts are elsewhere.
    parameters.n_ctx = parameters.n_batch = parameters.n_ubatch = 128
    # Two threads wait for each other without sleeping, and come to nothing on a busy machine.
    parameters.n_parallel = parameters.cpuparams.n_threads = 1
    parameters.warmup = False
    parameters.embedding = True
    parameters.pooling_type = type(parameters.pooling_type).LLAMA_POOLING_TYPE_MEAN
    server = xllamacpp.Server(parameters)  # it serves in threads of its own as long as it is referred to
    signal.pause()
    del server


if __name__ == "__main__":
    main()

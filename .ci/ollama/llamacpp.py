"""Serves a GGUF file by llama.cpp's own server, for the test that WINNOW_LLAMACPP names a Python to.

    python -m pip install --no-deps xllamacpp     # llama.cpp with its server, built
    python llamacpp.py MODEL.gguf NAME PORT       # until stdin ends
"""
import sys

import xllamacpp

params = xllamacpp.CommonParams()
params.model.path, params.model_alias, params.port = sys.argv[1], {sys.argv[2]}, int(sys.argv[3])
params.n_ctx, params.n_parallel, params.warmup = 4096, 1, False
params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1  # more would wait for each other on a busy machine
server = xllamacpp.Server(params)
print(server.listening_address, flush=True)
sys.stdin.read()

"""Implementations of the core's ports: one package per port, one module per backend."""

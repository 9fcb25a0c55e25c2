"""Checks over Kubernetes objects."""

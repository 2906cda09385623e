"""The command line: the outermost package, thin over all others."""

from mobility.cli.main import main

__all__ = ["main"]

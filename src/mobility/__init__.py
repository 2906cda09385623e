"""mobility: a region cut by a border travels, pays and settles as one."""

__version__ = "0.1.0"

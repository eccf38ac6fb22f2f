"""The version of the module, which is also that of the program that it runs."""

__version__ = "0.1.0"

"""The parts of scripts/trace.py: records how a model initialises its weights, and writes a recipe of fanin."""

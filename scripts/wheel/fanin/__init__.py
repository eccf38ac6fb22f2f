"""Initial weights of neural networks, drawn by the program `fanin`."""

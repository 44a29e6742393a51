"""The Python interface: a collection and its attributes as a few objects, over the functions of the other rooms."""

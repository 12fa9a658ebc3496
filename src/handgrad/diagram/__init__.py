"""The network as a figure: `draw` arranges it, `Scene.svg` writes it, `picture.py` makes PNG and PDF of it."""

from handgrad.diagram.scene import Captions, DrawingOptions, draw
from handgrad.diagram.shapes import Scene

__all__ = ["Captions", "DrawingOptions", "Scene", "draw"]

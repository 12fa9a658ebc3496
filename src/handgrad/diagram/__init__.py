"""The network as a figure.

`draw` arranges it as a `Scene`, whose `svg` writes it; `render.picture` makes PNG and PDF of that.
"""

from handgrad.diagram.scene import Captions, DrawingOptions, draw
from handgrad.diagram.shapes import Scene

__all__ = ["Captions", "DrawingOptions", "Scene", "draw"]

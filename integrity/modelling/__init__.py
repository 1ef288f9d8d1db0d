"""Models of a target: unmanaged, with every relation named on both sides, written so that people may add.

``generated.py`` of a target catalog holds one abstract model a table and is written anew each time;
``models.py`` beside it has a model on each and belongs to whoever adds to it.
"""

from integrity.modelling.files import ModelFiles, write_models
from integrity.modelling.graph import ModelGraph, model_graph

__all__ = ["ModelFiles", "ModelGraph", "model_graph", "write_models"]

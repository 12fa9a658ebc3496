"""A tree becomes boxes, once for all media that typeset."""

"""Measurements of Gage against bare Python and its peers: `python -m bench`."""

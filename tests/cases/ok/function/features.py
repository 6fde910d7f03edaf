"""A function of one file."""


def summarise(rows, level=0.5, night=""):
    """Return what it was called with."""
    return {"rows": rows, "level": level, "night": night}

"""One part for each seam of promptkit; nothing is imported before it is asked for."""

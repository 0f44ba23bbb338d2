"""Small pages in a browser on this machine, with what they share: serving, drawing, keeping."""

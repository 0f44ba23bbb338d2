"""From a reader and a folder of someone's digits to a better reader for those hands."""

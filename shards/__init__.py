"""The contract between generator and trainer: images, records, shards and the manifest."""

__version__ = "0.11.0"

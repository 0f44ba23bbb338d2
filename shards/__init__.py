"""The contract between generator and trainer: images, records, shards and the manifest."""

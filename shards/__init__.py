"""The contract between generator and trainer: what an image, a record, a shard and a manifest are."""

"""`python -m shards`: the command `shards`, from a source folder that is not installed."""

from shards.cli import main

if __name__ == "__main__":  # a worker process imports this file under another name
    main()

"""The command `shards`, and `python -m shards` from a source folder that is not installed."""

from shards.entry import command

main = command("shards.cli")

if __name__ == "__main__":  # a worker process imports this file under another name
    main()

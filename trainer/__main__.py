"""The command `trainer`, and `python -m trainer` from a source folder that is not installed."""

from shards.entry import command

main = command("trainer.cli")

if __name__ == "__main__":  # a worker process imports this file under another name
    main()

"""`python -m trainer`: the command `trainer`, from a source folder that is not installed."""

from trainer.cli import main

if __name__ == "__main__":  # a worker process imports this file under another name
    main()

"""`python -m generator`: the command `generator`, from a source folder that is not installed."""

from generator.cli import main

if __name__ == "__main__":  # a worker process imports this file under another name
    main()

"""``python -m promptkit``: the command line, for launchers of several processes too."""

from promptkit.cli import main

if __name__ == "__main__":
    main()

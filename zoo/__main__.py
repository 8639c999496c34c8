"""The command `zoo`, also as `python -m zoo`."""

import sys


def main() -> None:
    """Runs the command line; Ctrl-C while it is still being imported is an interruption like any other."""
    try:
        from zoo.cli import main
        from zoo.jobs import die_with_parent, supervised

        if supervised():
            die_with_parent()
        main()
    except KeyboardInterrupt:
        sys.stderr.write("zoo: interrupted\n")
        sys.exit(130)


if __name__ == "__main__":
    main()

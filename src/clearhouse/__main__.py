"""``python -m clearhouse`` is the ``clearhouse`` command."""

import sys

from clearhouse.cli.main import main

if __name__ == "__main__":
    sys.exit(main())

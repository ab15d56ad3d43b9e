"""`python -m caveat`."""

import sys

from .cli import main

if __name__ == "__main__":  # Dask imports this again in its workers
    sys.exit(main())

"""`python -m caveat`."""

import sys

from .cli import main

sys.exit(main())

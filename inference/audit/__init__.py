"""Does a record hold on own cases: evidence against it, after each, that may be looked at as often as one likes."""

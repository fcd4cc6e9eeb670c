"""The charge point's behaviour, pure: no I/O, no clock, no log. Time is passed in."""

"""One end of one bare channel, as a process. Commands and answers are lines of JSON; `pump.py` has the list."""

"""Runs where students' code runs, before it: takes the job's files in, gives up root, sets the limits, shuts the doors.

It is started by its folder, and knows the standard library only: none of the grader's own packages can be seen in here.
"""

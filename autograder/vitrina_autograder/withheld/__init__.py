"""Stands in a grading sandbox where the kit's own methods are on a student's machine."""

raise ImportError(f"{__name__} is not there while your work is graded: write the method yourself")

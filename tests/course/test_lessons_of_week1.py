"""The lessons of week 1 run."""

from lesson_runs import LessonRuns


class TestLessons(LessonRuns):
    week = "week1"

"""The lessons of week 3 run."""

from lesson_runs import LessonRuns


class TestLessons(LessonRuns):
    week = "week3"

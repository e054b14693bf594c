"""The lessons of week 2 run."""

from lesson_runs import LessonRuns


class TestLessons(LessonRuns):
    week = "week2"

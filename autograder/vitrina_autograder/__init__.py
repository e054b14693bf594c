"""Builds, releases and grades the notebooks of the course (instructors only)."""

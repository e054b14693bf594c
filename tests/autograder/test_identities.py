"""Pseudonyms that only the secret explains, ids made of names, and what gives an author away."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from vitrina_autograder import identities
from vitrina_autograder.course import Course, CourseError
from vitrina_autograder.identities import (
    Identity,
    gives_away,
    keep_identities,
    pseudonym,
    pseudonyms,
    read_identities,
    student_id,
)


def test_a_pseudonym_can_be_said_and_hangs_on_the_secret():
    names = {pseudonym(b"secret", f"student-{number}") for number in range(500)}
    assert len(names) == 500
    assert all(re.fullmatch(r"([bdfgklmnprstvz][aeiou]){3}-\d\d", name) for name in names)
    assert pseudonym(b"secret", "ana") == pseudonym(b"secret", "ana")
    assert pseudonym(b"secret", "ana") != pseudonym(b"another", "ana")


def test_no_two_students_share_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    course = Course(tmp_path)
    monkeypatch.setattr(identities, "_DIGITS", 1)
    monkeypatch.setattr(identities, "_CONSONANTS", "b")
    monkeypatch.setattr(identities, "_VOWELS", "ae")  # eight pseudonyms in all
    given = pseudonyms(course, [f"student-{number}" for number in range(6)])
    assert len(set(given.values())) == 6
    keep_identities(course, {name: Identity(student) for student, name in given.items()})
    again = pseudonyms(course, ["student-7", *reversed(given)])
    assert {student: again[student] for student in given} == given
    assert again["student-7"] not in given.values()


def test_what_is_learned_later_adds_to_what_is_known(tmp_path: Path):
    course = Course(tmp_path)
    keep_identities(course, {"a": Identity("ana", "Ana", number="1", folders={"week1": "Ana_1"})})
    keep_identities(course, {"a": Identity("ana", email="ana@uni.es", folders={"week2": "Ana_2"})})
    assert read_identities(course) == {
        "a": Identity("ana", "Ana", "ana@uni.es", "1", {"week1": "Ana_1", "week2": "Ana_2"})
    }
    (course.build / "identities.json").write_text("[]")
    with pytest.raises(CourseError, match="backup"):
        read_identities(course)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("María del Mar Núñez", "maria-del-mar-nunez"),
        ("O'Brien, Seán", "o-brien-sean"),
        ("李小龍", "李小龍"),
        ("  ", "student"),
        ("../../etc", "etc"),
        ("ana[1]*", "ana-1"),
        ("x" * 300, "x" * 60),
    ],
)
def test_ids_are_names_that_folders_take(name: str, expected: str):
    assert student_id(name) == expected


ANA = Identity("ana-garcia-lopez", "Ana García López", "ana.garcia@uni.es")


@pytest.mark.parametrize(
    "text",
    ["# Author: Ana Garcia Lopez", "toy_García_López.ipynb", "ana.garcia@uni.es", "ANA-GARCIA-LOPEZ", "lópez, garcía"],
)
def test_names_are_found(text: str):
    assert gives_away(ANA, text)


@pytest.mark.parametrize("text", ["banana garciana", "by the method of García (2014)", "", "analopezgarcia2"])
def test_other_words_are_left_alone(text: str):
    assert not gives_away(ANA, text)


def test_without_a_name_nothing_is_given_away():
    assert not gives_away(Identity("x"), "x = 1")
    assert not gives_away(Identity("xu-li", "Xu Li"), "Xu Li")  # too short to tell from code

"""Automata and networks that are handed in: right ones earn everything, others what they are worth, odd ones a word."""

import base64
import io
import json
import tracemalloc
import warnings
import zipfile
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from matplotlib.image import imread

from corpus.machines import dfas, words
from vitrina import own_language as own_module
from vitrina.automata import DFA, equivalent, minimise
from vitrina.automata.elman import ElmanNetwork
from vitrina.calling import ask
from vitrina.handed_in import AUTOMATON, MOST_STATES, MOST_UNITS, NETWORK
from vitrina.judging import Outcome, Reply, Verdict
from vitrina.own_language import own_language
from vitrina.panel import html_panel, text_panel
from vitrina.practice import PRACTICE_FILE, practise, write_practice
from vitrina_autograder.exercise import (
    HandedInAutomaton,
    HandedInNetwork,
    exam_seed,
    outline,
    practice_exercise,
)
from vitrina_autograder.handed_in import language_of

POINTS = 5.0
AUTOMATA = HandedInAutomaton(id="own-automaton", title="Your automaton", formula="L(A) = L", competences=["automata"])
NETWORKS = HandedInNetwork(id="own-network", title="Your network", formula="logit > 0", competences=["training"])
BOTH = [pytest.param(AUTOMATA, id="automaton"), pytest.param(NETWORKS, id="network")]
NAMES = ["Ada Lovelace", "Blaise Pascal", "Χρήστος", " ada  LOVELACE ", "x" * 300, "🙂"]
NAMED = "drawn for"


@pytest.fixture(scope="module")
def release(tmp_path_factory):
    folder = tmp_path_factory.mktemp("release")
    write_practice(folder / PRACTICE_FILE, [practice_exercise(exercise, POINTS) for exercise in (AUTOMATA, NETWORKS)])
    return folder


def graded(exercise, answer, student="ada") -> Verdict:
    outcomes = exercise.examine(
        exam_seed(b"secret", student, exercise.id), lambda case: ask(answer, case.arguments).reply
    )
    return Verdict(exercise.id, exercise.title, POINTS, exercise.formula, outcomes)


def statuses(verdict):
    return [outcome.status for outcome in verdict.outcomes]


def automaton_of(answer):
    return DFA(("a", "b"), answer["transitions"], answer["accepting"], answer["start"])


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("exercise", BOTH)
def test_what_is_right_for_a_name_earns_everything_in_any_form(exercise, name, release):
    verdict = graded(exercise, exercise.answer_for(name))
    assert verdict.points == POINTS
    assert statuses(verdict) == ["passed"] * len(verdict.outcomes)
    assert practise(exercise.id, exercise.answer_for(name), folder=release).points == POINTS


@pytest.mark.parametrize("exercise", BOTH)
def test_an_exercise_brings_its_proof(exercise, release):
    assert len(exercise.alternatives) >= 2
    assert len(exercise.bugs) >= 3
    for answer in (exercise.solution, *exercise.alternatives):
        assert graded(exercise, answer).points == POINTS
        assert practise(exercise.id, answer, folder=release).points == POINTS
    for answer in exercise.bugs:
        for verdict in (graded(exercise, answer), practise(exercise.id, answer, folder=release)):
            assert verdict.points < POINTS
            assert any(outcome.status == "failed" and outcome.message and outcome.hint for outcome in verdict.outcomes)


@pytest.mark.parametrize("exercise", BOTH)
def test_reports_know_what_is_judged(exercise):
    verdict = graded(exercise, exercise.solution)
    assert list(outline(exercise).questions) == [outcome.title for outcome in verdict.outcomes]


def test_the_examiner_finds_the_automaton_that_was_drawn():
    for number in range(60):
        name = f"student {number}"
        table, ends = own_module._drawn(own_module._digest(own_language(name).name))
        found = language_of(name)
        assert equivalent(found, DFA(("a", "b"), table, ends))
        assert len(found) == len(table) == len(minimise(found))


# What an automaton is worth.


@given(dfas(most_states=6))
def test_an_automaton_is_worth_what_it_agrees_beyond_a_constant(automaton):
    language = language_of("Ada Lovelace")
    answer = {NAMED: "ada lovelace", "transitions": automaton.transitions, "accepting": automaton.outputs}
    verdict = graded(AUTOMATA, {**answer, "start": automaton.start})
    every = np.array(list(product(range(2), repeat=12)))  # their beginnings are all shorter words, each as often
    truth = language.outputs[language.run(every)]
    right = automaton.outputs[automaton.run(every)] == truth
    agreed, belonging = float(right.mean()), float(truth.mean())
    constant = max(belonging, 1 - belonging)
    share = max(0.0, (agreed - constant) / (1 - constant))
    assert verdict.outcomes[0].earned / verdict.outcomes[0].weight == pytest.approx(share)
    assert (verdict.outcomes[1].status == "passed") == bool(right.all())
    assert (verdict.outcomes[2].status == "passed") == (len(minimise(automaton)) == len(automaton))
    if not share:
        assert verdict.points == 0


@pytest.mark.parametrize("accepts", [True, False])
@pytest.mark.parametrize("states", [1, 3])
@pytest.mark.parametrize("name", NAMES[:3])
def test_the_same_answer_to_all_words_earns_nothing(name, states, accepts, release):
    answer = {NAMED: name, "transitions": [[0, 0]] * states, "accepting": [accepts] * states}
    assert graded(AUTOMATA, answer).points == 0
    assert practise("own-automaton", answer, folder=release).points == 0


def test_one_word_in_a_million_is_found_and_costs_half_of_the_points():
    """The counter-example is a shortest one, whatever its length."""
    language = language_of("Ada Lovelace")
    unrolled = 14  # a chain that counts the first symbols, as long as they are b, and slips after the last
    states = len(language)
    copies = np.concatenate([language.transitions + states * level for level in range(unrolled + 1)])
    for level in range(unrolled):
        copies[states * level : states * (level + 1), 0] = language.transitions[:, 0] + states * unrolled
        copies[states * level : states * (level + 1), 1] = language.transitions[:, 1] + states * (level + 1)
    ends = np.tile(language.outputs, unrolled + 1)
    reached = DFA(("a", "b"), copies, ends).canonical()
    slip = reached.run(reached.encode("b" * 13))[-1]
    ends = reached.outputs.copy()
    ends[slip] ^= True
    answer = {NAMED: "Ada Lovelace", "transitions": reached.transitions, "accepting": ends}
    verdict = graded(AUTOMATA, answer)
    found, every, _small = verdict.outcomes
    assert "`bbbbbbbbbbbbb` " in every.message
    assert found.status == "failed"  # right on all words of up to 12, and yet not on all
    assert found.share == pytest.approx(1, abs=1e-6)
    assert "100 %" not in found.message
    assert 0 < verdict.points < POINTS


def test_feedback_names_a_shortest_word_on_which_it_is_wrong():
    for bug in AUTOMATA.bugs[:5]:
        outcome = graded(AUTOMATA, bug).outcomes[1]
        given = DFA(("a", "b"), bug["transitions"], bug["accepting"], bug["start"])
        language = language_of("Ada Lovelace")
        wrong = next(word for word in words(12) if given.accepts(word) != language.accepts(word))
        assert (f"`{wrong}`" if wrong else "the empty word") in outcome.message
        assert ("rejects" in outcome.message) == language.accepts(wrong)


@pytest.mark.parametrize("spoil", ["copy", "lost"])
def test_a_state_too_many_costs_a_tenth_and_is_named(spoil):
    right = language_of("Ada Lovelace")
    rows, ends = right.transitions.tolist(), right.outputs.tolist()
    rows, ends = [*rows, rows[1]], [*ends, ends[1]]
    if spoil == "copy":
        source, symbol = np.argwhere(right.transitions == 1)[0]
        rows[source][symbol] = len(rows) - 1
        if not np.any(np.array(rows[:-1]) == 1):  # now only the copy is reached
            pytest.skip("only one move leads to state 1")
    verdict = graded(AUTOMATA, {NAMED: "Ada Lovelace", "transitions": rows, "accepting": ends})
    assert verdict.points == pytest.approx(0.9 * POINTS)
    said = verdict.outcomes[2].message
    assert ("do the same" if spoil == "copy" else f"no word leads to state {len(rows) - 1}") in said


# What a network is worth.


def as_network(part):
    return ElmanNetwork(("a", "b"), part["W"], part["U"], part["b"], part["v"], part["c"])


def test_a_network_that_fades_earns_what_it_does_on_short_words():
    """Weights a little smaller forget slowly: short words are right, long ones are not."""
    earned = []
    for scale in (1.0, 0.12, 0.11, 0.01):
        faded = {key: LEARNT[key] * (scale if key in "WUb" else 1) for key in "WUbvc"}
        verdict = graded(NETWORKS, {NAMED: "Ada Lovelace", **faded})
        own = own_language("Ada Lovelace")
        read, labels = own.draw(400, 12, seed=77)
        share = float(np.mean(as_network(faded).accepts(read) == labels[:, 1:]))
        assert (statuses(verdict)[0] == "passed") == (share >= 0.9)
        earned.append(verdict.points)
    assert earned == sorted(earned, reverse=True)
    assert earned[0] == POINTS
    assert earned[-1] == 0


def test_words_are_drawn_for_the_student_and_again_the_same():
    """Half right on a few words: which ones decides, and so the figures differ between students."""
    bug = NETWORKS.bugs[1]
    said = [
        [outcome.message for outcome in graded(NETWORKS, bug, student).outcomes] for student in ("ada", "ada", "ben")
    ]
    assert said[0] == said[1]
    assert said[0] != said[2]


# What is not handed in, or badly.

BLANKS = [None, ..., "", {}, {NAMED: "Ada"}, {NAMED: "Ada", "transitions": ..., "accepting": None, "W": ..., "c": ...}]


@pytest.mark.parametrize("blank", BLANKS, ids=repr)
@pytest.mark.parametrize("exercise", BOTH)
def test_what_is_not_handed_in_is_unanswered(exercise, blank, release):
    for verdict in (graded(exercise, blank), practise(exercise.id, blank, folder=release)):
        assert verdict.unanswered
        assert verdict.points == 0
        assert "not answered yet" in text_panel(verdict)
        assert "<img" not in html_panel(verdict)


def test_what_is_no_dictionary_and_other_keys_are_named(release):
    for exercise, key in ((AUTOMATA, "transitions"), (NETWORKS, "W")):
        for answer, said in (
            ([[1, 0], [0, 1]], "a dictionary is expected"),
            (as_network(LEARNT), "a dictionary is expected"),
            ({"name": "Ada", "table": [[1, 0]], "accepts": [True]}, f"`{key}` is missing"),
        ):
            for verdict in (graded(exercise, answer), practise(exercise.id, answer, folder=release)):
                assert verdict.points == 0
                assert said in verdict.outcomes[0].message


def test_what_guesses_as_well_is_asked_for_its_name(release):
    stranger = practise(NETWORKS.id, {**NETWORKS.solution, NAMED: "Juan Otro"}, folder=release)
    assert "this very name" in stranger.outcomes[0].hint
    constant = {NAMED: "Juan Otro", "transitions": [[0, 0]], "accepting": [False]}
    assert "this very name" in practise(AUTOMATA.id, constant, folder=release).outcomes[0].hint


def not_written_yet(_key):
    raise NotImplementedError


@pytest.mark.parametrize("exercise", BOTH)
def test_a_function_that_is_not_written_is_unanswered_too(exercise):
    assert graded(exercise, not_written_yet).unanswered


def test_a_start_alone_is_no_answer():
    assert graded(AUTOMATA, {NAMED: "Ada", "transitions": ..., "accepting": ..., "start": 0}).unanswered


@pytest.mark.parametrize("name", ["", "   ", None, ..., 7, ["Ada"], object()], ids=lambda name: type(name).__name__)
@pytest.mark.parametrize("exercise", BOTH)
def test_what_is_nobodys_earns_nothing(exercise, name, release):
    for verdict in (
        graded(exercise, {**exercise.solution, NAMED: name}),
        practise(exercise.id, {**exercise.solution, NAMED: name}, folder=release),
    ):
        assert verdict.points == 0
        assert not verdict.unanswered
        assert NAMED in verdict.outcomes[0].message


RIGHT = AUTOMATA.solution
ROWS, ENDS = RIGHT["transitions"], RIGHT["accepting"]
STATES = len(ROWS)
DEEP: list = []
for _level in range(5000):
    DEEP = [DEEP]
ENDLESS: list = []
ENDLESS.append(ENDLESS)


class Hostile:
    """Answers every question about itself with an error."""

    def __array__(self, *_all, **_any):
        raise MemoryError("no array")

    def __getattr__(self, name):
        raise RecursionError(name)


@pytest.mark.parametrize(
    ("part", "value", "said"),
    [
        ("transitions", [[1, 0], [0]], "`transitions` is no array of numbers"),
        ("transitions", [[1, None], [0, 1]], "`transitions` is no array of numbers"),
        ("transitions", [["1", "0"], ["0", "1"]], "`transitions` is no array of numbers"),
        ("transitions", "[[1, 0], [0, 1]]", "`transitions` is no array of numbers"),
        ("transitions", {0: {"a": 1, "b": 0}}, "`transitions` is no array of numbers"),
        ("transitions", DEEP, "`transitions`"),
        ("transitions", ENDLESS, "`transitions`"),
        ("transitions", Hostile(), "`transitions` is no array of numbers"),
        ("transitions", [], "`transitions` needs a row for each state and two columns"),
        ("transitions", 5, r"its shape is ()"),
        ("transitions", np.zeros((0, 2)), "its shape is (0, 2)"),
        ("transitions", np.zeros((3, 3), int), "its shape is (3, 3)"),
        ("transitions", np.zeros((2, 2, 2), int), "its shape is (2, 2, 2)"),
        ("transitions", np.zeros((MOST_STATES + 1, 2), int), f"{MOST_STATES + 1} states are too many"),
        ("transitions", np.zeros((500_000, 2), int), "500000 states are too many"),
        ("transitions", np.zeros((10**7, 2)), "`transitions`"),
        ("transitions", np.broadcast_to(0, (10**6, 10**6)), "`transitions`"),
        ("transitions", np.full((STATES, 2), STATES), f"leads to {STATES}, but the states are 0 to {STATES - 1}"),
        ("transitions", np.full((STATES, 2), -1), "leads to -1"),
        ("transitions", np.full((STATES, 2), 0.5), "`transitions` must be whole numbers"),
        ("transitions", np.full((STATES, 2), np.nan), "`transitions` must be whole numbers"),
        ("transitions", np.full((STATES, 2), np.inf), "`transitions` must be whole numbers"),
        ("transitions", np.full((STATES, 2), 2**63, "u8"), "leads to"),
        ("transitions", np.array(ROWS, complex), "`transitions` is no array of numbers"),
        ("transitions", np.array(ROWS, object), "`transitions` is no array of numbers"),
        ("transitions", None, "`transitions` is missing"),
        ("accepting", None, "`accepting` is missing"),
        ("accepting", [True], f"`accepting` must say True or False for each of the {STATES} states"),
        ("accepting", [0, STATES], f"`accepting` must say True or False for each of the {STATES} states"),
        ("accepting", np.full(STATES, 2), "`accepting` must say True or False"),
        ("accepting", np.full(STATES, np.nan), "`accepting` must say True or False"),
        ("accepting", {0, 1}, "`accepting` is no array of numbers"),
        ("accepting", ["yes"] * STATES, "`accepting` is no array of numbers"),
        ("start", STATES, f"`start` must be one of the states 0 to {STATES - 1}"),
        ("start", -1, "`start` must be one of the states"),
        ("start", [0, 1], "`start` must be one of the states"),
        ("start", [], "`start` must be one of the states"),
        ("start", "0", "`start` is no array of numbers"),
        ("start", np.nan, "`start` must be whole numbers"),
    ],
    ids=lambda _value: "case",
)  # fmt: skip
def test_what_is_no_automaton_is_named(part, value, said, release):
    refused(AUTOMATA, {**RIGHT, part: value}, said, release)


LEARNT = {key: value if key == NAMED else np.asarray(value) for key, value in NETWORKS.solution.items()}
UNITS = LEARNT["W"].shape[1]


@pytest.mark.parametrize(
    ("part", "value", "said"),
    [
        ("W", np.zeros((3, UNITS)), "`W` needs two rows, for a and b"),
        ("W", np.zeros((2, 0)), "its shape is (2, 0)"),
        ("W", np.zeros(UNITS), "`W` needs two rows"),
        ("W", 1.0, "its shape is ()"),
        ("W", np.zeros((2, MOST_UNITS + 1)), f"{MOST_UNITS + 1} units are too many"),
        ("W", np.zeros((2, 10**6)), "1000000 units are too many"),
        ("W", LEARNT["W"].tolist()[0] + [None], "`W` is no array of numbers"),
        ("W", "weights.npy", "`W` is no array of numbers"),
        ("W", None, "`W` is missing"),
        ("U", np.zeros((UNITS, 2)), f"U must have the shape ({UNITS}, {UNITS})"),
        ("U", np.full((UNITS, UNITS), np.nan), "U holds NaN or infinite numbers"),
        ("U", np.full((UNITS, UNITS), np.inf), "U holds NaN or infinite numbers"),
        ("U", np.zeros((UNITS, UNITS), object), "`U` is no array of numbers"),
        ("b", np.zeros((UNITS, 1)), f"b must have the shape ({UNITS},)"),
        ("b", DEEP, "`b`"),
        ("b", Hostile(), "`b` is no array of numbers"),
        ("v", np.zeros((UNITS, 2)), "v must have the shape"),
        ("v", np.zeros((1, UNITS)), "v must have the shape"),
        ("c", [0.0, 1.0], "c must have the shape ()"),
        ("c", np.nan, "c holds NaN"),
        ("c", None, "`c` is missing"),
    ],
    ids=lambda _value: "case",
)  # fmt: skip
def test_what_is_no_network_is_named(part, value, said, release):
    refused(NETWORKS, {**LEARNT, part: value}, said, release)


def refused(exercise, answer, said, release):
    for verdict in (graded(exercise, answer), practise(exercise.id, answer, folder=release)):
        assert verdict.points == 0
        assert not verdict.unanswered
        first, *others = verdict.outcomes
        assert said in first.message
        assert [outcome.message for outcome in others] == ["not tried"] * len(others)
        assert "Traceback" not in text_panel(verdict)
        assert verdict.picture == ""


@pytest.mark.parametrize("size", [1e300, 1.7e308])
def test_huge_weights_run_quietly(size):
    huge = {key: np.where(np.asarray(LEARNT[key]) < 0, -size, size) for key in "WUbvc"}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert graded(NETWORKS, {NAMED: "Ada", **huge}).points < POINTS


ODD = st.sampled_from(["?", "i1", "u8", "f2", "f4", "f8"]).flatmap(
    lambda dtype: hnp.arrays(dtype, hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3))
) | st.text(max_size=5)
STATUS = st.sampled_from(["answered", "unanswered", "raised", "timed out", "unreadable"])


@given(st.data())
@pytest.mark.parametrize("exercise", BOTH)
def test_no_replies_break_the_examiner(exercise, data):
    """Right answers, some of them replaced by anything that a kernel may send."""
    right = {key: ask(exercise.solution, {"question": key}).reply for key in exercise.solution}

    def reply(case):
        if data.draw(st.booleans()):
            return right[case.title]
        return Reply(data.draw(STATUS), data.draw(ODD | st.none()), data.draw(st.text(max_size=5)))

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        outcomes = exercise.examine(b"seed", reply)
        panel = html_panel(Verdict("id", "t", POINTS, "", outcomes))
    assert len(outcomes) == len(exercise.questions)
    assert all(0 <= outcome.earned <= outcome.weight for outcome in outcomes)
    assert panel


def test_after_a_timeout_nothing_more_is_asked():
    asked = []

    def reply(case):
        asked.append(case.title)
        return Reply("timed out", error="too slow")

    outcomes = AUTOMATA.examine(b"seed", reply)
    assert len(asked) == 1
    assert outcomes[0].message == "too slow"


@pytest.mark.parametrize("exercise", BOTH)
def test_the_largest_that_is_looked_at_takes_little_memory(exercise):
    automaton = {"transitions": np.arange(2 * MOST_STATES).reshape(-1, 2) // 2, "accepting": np.arange(MOST_STATES) % 2}
    rng = np.random.default_rng(0)
    shapes = {"W": (2, MOST_UNITS), "U": (MOST_UNITS, MOST_UNITS), "b": MOST_UNITS, "v": MOST_UNITS, "c": ()}
    network = {name: rng.normal(size=shape) for name, shape in shapes.items()}
    tracemalloc.start()
    verdict = graded(exercise, {NAMED: "Ada", **automaton, **network})
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert verdict.points < POINTS
    assert verdict.outcomes[1].message != "not tried"
    assert peak < 100 << 20


# What practice tells.


def test_a_release_holds_nothing_but_questions(release):
    with zipfile.ZipFile(release / PRACTICE_FILE) as archive:
        assert archive.namelist() == ["exercises.json"]  # no arrays at all
        tree = json.loads(archive.read("exercises.json"))
    for item, exercise in zip(tree["exercises"], (AUTOMATA, NETWORKS), strict=True):
        assert item["kind"] == exercise.kind
        assert [case["arguments"] for case in item["cases"]] == [{"question": key} for key in exercise.solution]
        assert all(case["expected"] is None and not case["mistakes"] for case in item["cases"])


def test_practice_says_the_same_of_two_languages_that_the_given_words_do_not_tell_apart(release, monkeypatch):
    """It looks at the words that the student was given, and at nothing else."""
    seen = []
    label = own_module.OwnLanguage.label
    monkeypatch.setattr(
        own_module.OwnLanguage, "label", lambda own, read: seen.append(np.asarray(read)) or label(own, read)
    )
    for answer in (AUTOMATA.solution, *AUTOMATA.bugs):
        practise("own-automaton", answer, folder=release)
    assert seen
    monkeypatch.undo()
    for read in seen:
        assert any(np.array_equal(read, own_language(name).draw(2000, 12, seed=0)[0]) for name in NAMES[:2])


def test_practice_leaves_the_last_word_to_the_examiner(release):
    verdict = practise("own-automaton", AUTOMATA.solution, folder=release)
    assert statuses(verdict) == ["passed", "recorded", "passed"]
    assert "provisional" in text_panel(verdict)


def test_practice_shows_one_of_the_given_words_on_which_it_is_wrong(release):
    own = own_language("Ada Lovelace")
    beginnings = {"".join("ab"[symbol] for symbol in word[:length]) for word in own.words for length in range(13)}
    for bug in AUTOMATA.bugs[1:5]:
        message = practise("own-automaton", bug, folder=release).outcomes[0].message
        word = message.split("`")[1] if "`" in message else ""
        assert word in beginnings
        assert automaton_of(bug).accepts(word) != own.belongs(word)
        assert ("rejects" in message) == own.belongs(word)


def test_practice_draws_a_small_automaton(release):
    verdict = practise("own-automaton", AUTOMATA.solution, folder=release)
    picture = imread(io.BytesIO(base64.b64decode(verdict.picture)))
    assert 100 < picture.shape[0] < 600
    assert f'<img src="data:image/png;base64,{verdict.picture}"' in html_panel(verdict)
    large = {NAMED: "Ada", "transitions": np.zeros((30, 2), int), "accepting": np.zeros(30)}
    assert practise("own-automaton", large, folder=release).picture == ""
    assert practise("own-network", NETWORKS.solution, folder=release).picture == ""
    assert graded(AUTOMATA, AUTOMATA.solution).picture == ""


def test_shares_of_a_case_add_up():
    half = Outcome("c", "failed", 4.0, share=0.5)
    edge = Outcome("e", "passed", 1.0, edge=True)
    assert Verdict("v", "v", 10.0, outcomes=[half, edge]).points == 6
    assert Verdict("v", "v", 10.0, outcomes=[Outcome("c", "failed", 4.0), edge]).points == 0
    assert sum(row.weight for row in AUTOMATON.rows) == 10
    assert len(NETWORK.rows) == 4

"""Right answers pass, wrong ones are explained, no answer breaks the judge, and no hidden number leaks."""

import re
import warnings

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from vitrina.games import TableGame
from vitrina.judging import REPLY_STATUSES, Case, Mistake, Outcome, Reply, Verdict, examine, judge
from vitrina.panel import html_panel, text_panel
from vitrina.properties import PROPERTIES

EXPECTED = np.array([[0.5, -1.25, 2.0], [4.0, 0.0, -0.75]])
ANY_ARRAY = st.sampled_from(["?", "i1", "u8", "i8", "f2", "f4", ">f8", "f8", "g"]).flatmap(
    lambda dtype: hnp.arrays(dtype, hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3))
)
FINITE = st.floats(-1e6, 1e6).filter(lambda x: x == 0 or abs(x) > 1e-3)


def verdict_on(answer, case=None, *, reveal=True, **fields) -> Outcome:
    return judge(case or Case("case", expected=EXPECTED), Reply("answered", answer, **fields), reveal=reveal)


def verdict_of(*outcomes, points=3.0) -> Verdict:
    return Verdict("id", "Title", points, "R = a * g", outcomes)


@pytest.mark.parametrize("dtype", ["f8", "f4", ">f8", "g"])
@given(seed=st.integers(0, 99), share=st.floats(0, 0.9))
def test_within_the_tolerance_every_float_type_passes(dtype, seed, share):
    generator = np.random.default_rng(seed)
    noise = 1e-4 * share * np.max(np.abs(EXPECTED)) * generator.uniform(-1, 1, EXPECTED.shape)
    assert verdict_on((EXPECTED + noise).astype(dtype)) == Outcome("case", "passed", 1.0)


@given(
    position=st.tuples(st.integers(0, 1), st.integers(0, 2)), size=st.floats(1.1, 1e12), sign=st.sampled_from([1, -1])
)
def test_one_number_beyond_the_tolerance_fails(position, size, sign):
    answer = EXPECTED.copy()
    answer[position] += sign * size * 1e-4 * np.max(np.abs(EXPECTED))
    outcome = verdict_on(answer)
    assert outcome.status == "failed"
    assert "largest difference" in outcome.message


def test_whole_numbers_and_truth_values_are_compared_as_numbers():
    assert verdict_on(np.array([1, 0, 2]), Case("c", expected=np.array([1.0, 0.0, 2.0]))).status == "passed"
    assert verdict_on(np.array([True, False]), Case("c", expected=np.array([1, 0]))).status == "passed"
    assert verdict_on(np.array([1, 0]), Case("c", expected=np.array([True, False]))).status == "passed"
    assert verdict_on(np.array([True, True]), Case("c", expected=np.array([True, False]))).status == "failed"
    assert verdict_on(np.array([255, 0], "u1"), Case("c", expected=np.array([-1, 0]))).status == "failed"


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (np.array([True, True, True, False]), "1 of 4 values are wrong"),
        (np.array([0, 1, 0, 1]), "4 of 4 values are wrong"),
        (np.array([1, 0.3, 5, 0]), "2 of 4 values are wrong"),
    ],
)
@pytest.mark.parametrize("reveal", [True, False])
@pytest.mark.parametrize("expected", [np.array([True, False, True, False]), np.array([1, 0, 1, 0])])
def test_of_truth_values_and_whole_numbers_it_is_said_how_many_are_wrong(answer, told, reveal, expected):
    outcome = verdict_on(answer, Case("c", expected=expected), reveal=reveal)
    assert outcome.status == "failed"
    assert outcome.message == f"differs from the definition: {told}"


def test_no_truth_value_is_counted_where_all_are_near_enough():
    case = Case("c", expected=np.array([True, False]), tolerance=0.1)
    assert verdict_on(np.array([0.95, 0.05]), case).status == "passed"
    assert "1 of 2" in verdict_on(np.array([0.95, 0.5]), case).message


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_nan_and_infinity_are_counted(bad):
    answer = EXPECTED.copy()
    answer[0, :2] = bad
    outcome = verdict_on(answer)
    assert outcome.status == "failed"
    assert "2 of 6 values" in outcome.message
    assert "divide by zero" in outcome.hint


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("name", sorted(PROPERTIES))
def test_nan_and_infinity_have_no_property(name, bad):
    arguments = {"inputs": np.ones((1, 2)), "activations": np.ones((1, 2)), "relevance": np.ones((1, 1))}
    arguments |= {"model": lambda x: x.sum(axis=1, keepdims=True), "target": 0}
    assert verdict_on(np.full((1, 2), bad), Case("c", arguments, properties=[name])).status == "failed"


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (EXPECTED[0], "batch axis"),
        (EXPECTED.T, "swapped"),
        (np.zeros((2, 4)), ""),
        (np.zeros((1, 2, 3)), "an axis of length 1"),
    ],
)
def test_a_wrong_shape_is_named(answer, hint):
    outcome = verdict_on(answer)
    assert outcome.status == "failed"
    assert str(answer.shape) in outcome.message
    assert str(EXPECTED.shape) in outcome.message
    assert hint in outcome.hint
    assert bool(hint) == bool(outcome.hint)


@given(factor=st.floats(1.01, 1e6) | st.floats(1e-3, 0.99) | st.floats(-1e6, -1.01))
def test_a_constant_factor_is_named(factor):
    assert f"{factor:.4g} times" in verdict_on(factor * EXPECTED).hint


def test_a_wrong_sign_is_named_and_a_mere_difference_is_not():
    assert "opposite sign" in verdict_on(-EXPECTED).hint
    assert verdict_on(EXPECTED + 1).hint == ""
    assert verdict_on(np.zeros_like(EXPECTED)).hint == ""
    assert verdict_on(np.ones(3), Case("c", expected=np.zeros(3))).hint == ""


def test_a_planted_mistake_is_recognised_before_anything_else():
    mistakes = [Mistake("You forgot the bias.", EXPECTED + 1), Mistake("Not squared.", -EXPECTED)]
    mistakes.append(Mistake("No batch axis.", EXPECTED[0]))
    case = Case("c", expected=EXPECTED, mistakes=mistakes)
    assert verdict_on(EXPECTED + 1 + 1e-6, case).hint == "You forgot the bias."
    assert verdict_on(-EXPECTED, case).hint == "Not squared."
    assert verdict_on(EXPECTED[0], case).hint == "No batch axis."
    assert verdict_on(EXPECTED + 2, case).hint == ""
    assert verdict_on(EXPECTED, case).status == "passed"


def test_a_mutated_input_loses_the_case_though_the_answer_is_right():
    outcome = verdict_on(EXPECTED, mutated=["x", "y"])
    assert outcome.status == "failed"
    assert "`x, y`" in outcome.message
    assert "copy" in outcome.hint
    assert outcome.expected is None  # the numbers are right: a comparison would only puzzle


def test_strings_and_nothing_are_no_arrays():
    for value in ("0.5", "", None):
        assert "array of numbers" in verdict_on(value).message


@pytest.mark.parametrize("shape", [(0,), (0, 3), (2, 0)])
def test_empty_arrays_are_compared_by_shape(shape):
    case = Case("c", expected=np.zeros(shape))
    assert verdict_on(np.zeros(shape), case).status == "passed"
    assert verdict_on(np.zeros((1, *shape)), case).status == "failed"


@given(answer=ANY_ARRAY, expected=ANY_ARRAY, reveal=st.booleans())
def test_no_array_breaks_the_judge_or_the_panel(answer, expected, reveal):
    mistakes = [Mistake("m", answer.copy()), Mistake("n", EXPECTED)]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        outcome = judge(Case("c", expected=expected, mistakes=mistakes), Reply("answered", answer), reveal=reveal)
        panel = html_panel(verdict_of(outcome)) + text_panel(verdict_of(outcome))
    assert outcome.status in ("passed", "failed")
    assert isinstance(panel, str)


@given(answer=ANY_ARRAY)
@pytest.mark.parametrize("name", sorted(PROPERTIES))
def test_no_array_breaks_a_property(name, answer):
    arguments = {"inputs": np.ones((2, 3)), "activations": np.ones((2, 3)), "relevance": np.ones((2, 2))}
    arguments |= {
        "model": lambda x: x @ np.ones((3, 2)),
        "target": 1,
        "question": "equal split",
        "players": 2,
        "draws": 9,
    }
    arguments["game"] = TableGame([0, 1, 1, 3])
    arguments |= {"transitions": [[1, 0], [0, 1]], "accepting": [True, False]}
    arguments |= {"others": [[1, 0], [1, 1]], "accepting_too": [True, False]}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        outcome = verdict_on(answer, Case("c", arguments, properties=[name]))
    assert outcome.status in ("passed", "failed")


@pytest.mark.parametrize("size", [1e300, 1.7e308, -1.7e308])
def test_huge_values_fail_quietly(size):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        outcome = verdict_on(np.full_like(EXPECTED, size))
        assert html_panel(verdict_of(outcome))
    assert outcome.status == "failed"


@pytest.mark.parametrize("status", [status for status in REPLY_STATUSES if status not in ("answered", "unanswered")])
def test_a_reply_that_is_no_answer_fails_whatever_value_comes_with_it(status):
    outcome = judge(Case("c", expected=EXPECTED), Reply(status, EXPECTED, "why"), reveal=True)
    assert (outcome.status, outcome.message) == ("failed", "why")


CHOICE = Case("which rule?", {"question": "rule"}, "zB", options=["zB", "epsilon", "gamma"])


def test_choices():
    assert verdict_on("zB", CHOICE).status == "passed"
    wrong = verdict_on("gamma", CHOICE)
    assert (wrong.status, wrong.message) == ("failed", "not this one")
    assert "'zB', 'epsilon', 'gamma'" in verdict_on("ZB", CHOICE).message
    for value in ("ZB", "", None, np.array(1.0), np.array(["zB"])):
        assert verdict_on(value, CHOICE).status == "failed"


def test_a_choice_in_practice_is_only_recorded():
    public = Case("which rule?", {"question": "rule"}, None, options=CHOICE.options)
    assert {verdict_on(option, public) for option in CHOICE.options} == {verdict_on("zB", public)}
    assert verdict_on("zB", public).status == "recorded"
    assert verdict_on("other", public).status == "failed"


def test_the_axioms_are_explained_in_practice():
    case = Case("c", {"relevance": np.array([[5.0]])}, properties=["conservation"])
    assert "add up to 3, but the relevance that came in is 5" in verdict_on(np.array([[1.0, 2.0]]), case).message
    assert verdict_on(np.array([[1.0, 4.0]]), case).status == "passed"


@given(
    weights=st.lists(st.floats(0.01, 100), min_size=1, max_size=30),
    points=st.floats(0.001, 1000) | st.integers(1, 10),
    data=st.data(),
)
def test_points_never_exceed_the_maximum(weights, points, data):
    statuses = [data.draw(st.sampled_from(["passed", "recorded", "failed", "unanswered"])) for _ in weights]
    outcomes = [Outcome("c", status, weight) for status, weight in zip(statuses, weights, strict=True)]
    earned = verdict_of(*outcomes, points=points).points
    assert 0 <= earned <= points
    assert (
        abs(earned - points * sum(o.weight for o in outcomes if o.status in ("passed", "recorded")) / sum(weights))
        < 0.006
    )
    full = verdict_of(*[Outcome("c", "passed", weight) for weight in weights], points=points).points
    assert full == min(points, round(points, 2))
    assert isinstance(full, float)
    assert verdict_of(points=points).points == 0.0


def shown(verdict: Verdict) -> str:
    return html_panel(verdict) + text_panel(verdict) + repr(verdict.outcomes)


@given(
    expected=hnp.arrays("f8", hnp.array_shapes(max_dims=2, max_side=3), elements=FINITE),
    data=st.data(),
    power=st.integers(-8, 8).filter(bool),
)
def test_hidden_numbers_do_not_show(expected, data, power):
    """What is shown without `reveal` depends on ratios only: scaled questions and answers look the same."""
    assume(np.any(expected))
    wrong = hnp.arrays("f8", expected.shape, elements=FINITE)
    answer = data.draw(wrong | st.sampled_from([-expected, 2 * expected, expected + 1, expected[0]]))
    mistake = data.draw(wrong)
    looks = {
        shown(
            verdict_of(
                verdict_on(
                    answer * scale,
                    Case("c", {"x": expected * scale}, expected * scale, mistakes=[Mistake("hint", mistake * scale)]),
                    reveal=False,
                )
            )
        )
        for scale in (1.0, 2.0**power)
    }
    assert len(looks) == 1


@given(secret=st.integers(1001, 9999), name=st.sampled_from(["conservation", "completeness"]), reveal=st.booleans())
def test_hidden_sums_do_not_show(secret, name, reveal):
    arguments = {"relevance": np.array([[secret]]), "inputs": np.array([[secret]]), "model": lambda x: x, "target": 0}
    verdict = verdict_of(verdict_on(np.zeros((1, 2)), Case("c", arguments, properties=[name]), reveal=reveal))
    assert verdict.points == 0
    assert (f"{secret:.4g}" in re.sub(r"style=\".*?\"", "", shown(verdict))) == reveal


def test_hidden_arrays_stay_out_of_the_outcome():
    for answer in (EXPECTED + 1, EXPECTED[0], np.full_like(EXPECTED, np.nan)):
        hidden = verdict_on(answer, reveal=False)
        assert hidden.status == "failed"
        assert hidden.expected is None
        assert hidden.received is None
    public = verdict_on(EXPECTED + 1, reveal=True)
    np.testing.assert_array_equal(public.expected, EXPECTED)
    np.testing.assert_array_equal(public.received, EXPECTED + 1)


def test_a_hidden_choice_looks_the_same_whichever_is_right():
    looks = {
        shown(verdict_of(verdict_on("gamma", Case("q", {}, right, options=CHOICE.options), reveal=False)))
        for right in ("zB", "epsilon")
    }
    assert len(looks) == 1


def asked(replies, cases):
    queue = iter(replies)
    count = []

    def ask(case):
        count.append(case)
        return next(queue)

    return examine(cases, ask, reveal=False), len(count)


CASES = [Case(f"case {number}", expected=EXPECTED, weight=number) for number in (1, 2, 3)]
RIGHT = Reply("answered", EXPECTED)


@pytest.mark.parametrize(
    ("status", "judged"),
    [("unanswered", ["passed", "unanswered", "unanswered"]), ("timed out", ["passed", "failed", "failed"])],
)
def test_after_no_answer_nothing_more_is_asked(status, judged):
    outcomes, count = asked([RIGHT, Reply(status, error="too slow")], CASES)
    assert count == 2
    assert [outcome.status for outcome in outcomes] == judged
    assert [outcome.title for outcome in outcomes] == [case.title for case in CASES]
    assert outcomes[2].message == ("not tried" if status == "timed out" else "not answered yet")
    assert verdict_of(*outcomes, points=6.0).points == 1.0


def test_after_an_error_the_rest_is_asked():
    outcomes, count = asked([Reply("raised", error="KeyError"), Reply("unreadable"), RIGHT], CASES)
    assert count == 3
    assert verdict_of(*outcomes, points=6.0).points == 3.0


def test_every_question_of_a_quiz_is_asked():
    outcomes, count = asked([Reply("unanswered"), Reply("timed out"), Reply("answered", "zB")], [CHOICE] * 3)
    assert count == 3
    assert [outcome.status for outcome in outcomes] == ["unanswered", "failed", "passed"]


def test_an_exercise_is_unanswered_only_if_every_case_is():
    none, some = Outcome("c", "unanswered", 1.0), Outcome("c", "failed", 1.0)
    assert verdict_of(none, none).unanswered
    assert not verdict_of(none, some).unanswered
    assert not verdict_of().unanswered
    assert examine([], lambda _case: RIGHT, reveal=True) == []


def test_a_wrong_shape_is_a_mistake_whatever_the_numbers_are():
    mistakes = [Mistake("one of two", EXPECTED[0]), Mistake("a column", EXPECTED[:, :1])]
    case = Case("case", expected=EXPECTED, mistakes=mistakes)
    assert verdict_on(EXPECTED[0] * 7, case).hint == "one of two"
    assert verdict_on(EXPECTED[:, :1] * 7, case).hint == "a column"
    assert "batch axis" in verdict_on(EXPECTED[0, :2], case).hint


def test_a_hint_that_another_reply_speaks_against_is_not_given():
    """On a small case two mistakes give the same answer: the one is meant that explains the others too."""
    small = Case("small", expected=np.ones(2), mistakes=[Mistake("zero", np.zeros(2)), Mistake("lost", np.zeros(2))])
    large = Case("large", expected=np.ones(3), mistakes=[Mistake("zero", np.zeros(3)), Mistake("lost", np.eye(3)[0])])
    answers = {"small": np.zeros(2), "large": np.eye(3)[0]}

    def hints(*cases, **changed):
        found = examine(cases, lambda case: Reply("answered", (answers | changed)[case.title]), reveal=True)
        return [outcome.hint for outcome in found]

    assert hints(small) == ["zero"]
    assert hints(small, large) == ["lost", "lost"]
    assert hints(small, large, large=np.full(3, 7.0)) == ["", ""]  # nor are both a multiple of the right answer
    seven = {"small": np.full(2, 7.0), "large": np.full(3, 7.0)}
    assert all("7 times" in hint for hint in hints(small, large, **seven))
    assert hints(small, large, large=np.ones(3)) == ["", ""]  # right where the mistake is not
    assert hints(small, Case("large", expected=np.ones(3))) == ["zero", ""]  # says nothing of the mistake
    replies = {"small": Reply("answered", np.zeros(2)), "large": Reply("raised", error="no")}
    assert examine([small, large], lambda case: replies[case.title], reveal=True)[0].hint == "zero"


def test_one_shape_of_several_mistakes_is_told_apart_by_the_other_cases():
    mistakes = [Mistake("pairs", np.zeros((4, 2))), Mistake("turned", np.zeros((4, 2)))]
    small = Case("small", expected=np.zeros((2, 4)), mistakes=mistakes)
    large = Case(
        "large",
        expected=np.zeros((4, 3)),
        mistakes=[Mistake("pairs", np.ones((8, 2))), Mistake("turned", np.ones((3, 4)))],
    )
    answers = {"small": np.full((4, 2), 5), "large": np.full((3, 4), 5)}
    found = examine([small, large], lambda case: Reply("answered", answers[case.title]), reveal=True)
    assert [outcome.hint for outcome in found] == ["turned", "turned"]


@pytest.mark.parametrize(
    ("answer", "expected", "hint"),
    [
        (np.array(3.0), np.ones(4), "not only the last"),
        (np.ones(2), np.array(3.0), "single number"),
        (np.array(31.25), np.array(0.3125), "percent"),
        (np.ones(8), np.ones((8, 8)), "An axis is missing"),
    ],
)
def test_numbers_and_axes_that_are_missing_or_too_many_are_named(answer, expected, hint):
    assert hint in verdict_on(answer, Case("c", expected=expected)).hint


def test_one_number_is_off_by_a_share_of_the_right_one():
    assert "off by 0.5 of the right value" in verdict_on(np.array(1.5), Case("c", expected=np.array(1.0))).message


def test_text_is_no_array():
    assert "the answer is text" in judge(Case("c", expected=EXPECTED), Reply("answered", "abba"), reveal=True).message


def test_the_keys_of_a_quiz_are_missed_and_not_the_answers():
    case = Case("why?", {"question": "why?"}, options=("a", "b"))
    for status in ("unanswered", "raised"):
        outcome = judge(case, Reply(status, error="the key is missing"), reveal=True)
        assert (outcome.status, outcome.message) == ("failed", "the key is missing")
    assert judge(case, Reply("unanswered"), reveal=True).status == "unanswered"


@pytest.mark.parametrize("others", [[4.0, 9.0], [2.0, 4.0]])
def test_a_square_or_a_size_has_no_opposite_sign(others):
    """Where an answer is right, or wrong in another way, the sign that is turned elsewhere is chance."""
    answers = {"-1": 1.0, "2": others[0], "3": others[1]}
    cases = [Case(title, expected=np.array(float(title))) for title in answers]
    replies = [Reply("answered", np.array(answer)) for answer in answers.values()]
    outcomes = examine(cases, _in_turn(replies), reveal=True)
    assert not any(outcome.hint for outcome in outcomes)
    turned = examine(cases, _in_turn([Reply("answered", np.array(-case.expected)) for case in cases]), reveal=True)
    assert {outcome.hint for outcome in turned} == {"Everything has the opposite sign."}


def _in_turn(replies):
    rest = iter(replies)
    return lambda _case: next(rest)


def test_half_floats_are_no_normalisation():
    case = Case("case", expected=np.array([0.1, 2e-4]), tolerance=1e-6)
    assert verdict_on(case.expected.astype(np.float16).astype(float), case).hint == ""
    assert "a normalisation" in verdict_on(case.expected * 0.99, case).hint


def test_an_axis_too_many_is_named():
    case = Case("case", expected=np.array([1.0, 2.0]))
    for answer in (np.array([[1.0], [2.0]]), np.array([[1.0, 2.0]])):
        assert "an axis of length 1 is too much" in verdict_on(answer, case).hint
    assert verdict_on(np.eye(2), case).hint == ""


def test_a_single_number_is_no_multiple():
    case = Case("case", expected=np.array([2.0]))
    assert verdict_on(np.array([3.0]), case).hint == ""
    assert "opposite sign" in verdict_on(np.array([-2.0]), case).hint

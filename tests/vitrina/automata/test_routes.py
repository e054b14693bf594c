"""Networks that were written from a machine give it back by every route; others give a clear answer, and soon."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.machines import dfas
from corpus.networks import ends_in_aa, unlearnt
from vitrina.automata import (
    DFA,
    LANGUAGES,
    PARITY,
    ROUTES,
    choose_clusters,
    equivalent,
    minimise,
    read_automaton,
    read_by_all_routes,
    snap,
    snapped_automaton,
    training_words,
)
from vitrina.automata.elman import ElmanNetwork
from vitrina.automata.written import network_of

AA = DFA(("a", "b"), [[1, 0], [2, 0], [2, 0]], [False, False, True])


def random_words(count=300, length=40, seed=0):
    return np.random.default_rng(seed).integers(2, size=(count, length))


def accepts_empty(machine):
    return bool(machine.outputs[machine.start])


@settings(max_examples=15)
@given(machine=dfas(most_states=6))
def test_a_network_written_from_a_machine_is_that_machine(machine):
    network, words = network_of(machine), random_words()
    assert network.accuracy(machine, words) == 1
    for route in ("sign", "rounding", "questions", "snap"):
        found = read_automaton(network, words, empty=accepts_empty(machine), route=route, truth=machine)
        assert found.verdict, route
        assert found.determinism == found.fidelity == 1
        assert found.finished
        assert np.array_equal(found.automaton.transitions, minimise(machine).transitions)


@pytest.mark.parametrize("language", LANGUAGES.values(), ids=LANGUAGES)
def test_all_routes_agree_on_the_course_s_languages(language):
    machine = language.automaton
    words = training_words(machine, 200, 40, seed=1)
    readings = read_by_all_routes(network_of(machine), words, empty=accepts_empty(machine), truth=machine)
    assert [found.route for found in readings] == list(ROUTES)
    for found in readings:
        assert found.verdict, str(found)
        assert found.states >= len(machine) == len(found.automaton)
        assert "equivalent" in str(found)


def test_what_is_read_is_right_on_all_short_words():
    network = network_of(PARITY.automaton)
    numbers = np.arange(2**12)
    words = (numbers[:, np.newaxis] >> np.arange(12)) % 2
    said = network.accepts(words)
    for found in read_by_all_routes(network, random_words(), empty=True):
        assert found.verdict is None
        assert np.array_equal(found.automaton.outputs[found.automaton.run(words)[:, 1:]], said)


def test_snapping_breaks_a_network_that_tells_by_size():
    network, words = ends_in_aa(), random_words()
    found = {each.route: each for each in read_by_all_routes(network, words, empty=False, truth=AA)}
    assert network.accuracy(AA, words) == 1
    assert {name for name, each in found.items() if each.verdict} == {"clusters", "chosen clusters", "questions"}
    # At the corner one a is as good as two.
    assert found["snap"].verdict.counterexample == ("a",)
    assert found["snap"].fidelity < 1
    assert "wrong on 'a'" in str(found["snap"])


def test_the_snapped_automaton_is_the_network_with_snapped_states():
    generator = np.random.default_rng(0)
    network = ElmanNetwork(
        ("a", "b", "c"),
        generator.standard_normal((3, 5)),
        2 * generator.standard_normal((5, 5)),
        generator.standard_normal(5),
        generator.standard_normal(5),
        0.1,
    )
    words = generator.integers(3, size=(50, 30))
    machine = snapped_automaton(network, words, empty=True).automaton
    hidden, said = np.zeros((50, 5)), []
    for time in range(30):
        hidden = np.sign(network.step(hidden, words[:, time]))
        said.append(network.logits(hidden) > 0)
    assert np.array_equal(machine.outputs[machine.run(words)[:, 1:]], np.transpose(said))


@given(hidden=st.lists(st.floats(-1, 1), min_size=1, max_size=6))
def test_snapping_is_to_the_nearest_corner_and_once_is_enough(hidden):
    corner = snap(hidden)
    assert np.all(np.abs(corner) == 1)
    assert np.all(np.abs(corner - hidden) <= 1)
    assert np.array_equal(snap(corner), corner)


def test_silent_units_are_snapped_to_nothing():
    assert snap([[0.9, -0.01], [-0.9, 0.01]], [True, False]).tolist() == [[1, 0], [-1, 0]]
    quiet = network_of(PARITY.automaton)
    units = len(quiet.bias)
    wide = ElmanNetwork(
        quiet.alphabet,
        np.column_stack([quiet.inputs, [1e-3, -1e-3]]),
        np.pad(quiet.recurrent, ((0, 1), (0, 1)))
        + 50 * np.outer(np.arange(units + 1) == units, np.arange(units + 1) < units),
        np.append(quiet.bias, 0),
        np.append(quiet.readout, 0),
        quiet.offset,
    )
    corners = len(snapped_automaton(quiet, random_words(), empty=True).automaton)
    found = snapped_automaton(wide, random_words(), empty=True)
    assert len(found.automaton) == corners
    assert equivalent(found.automaton, PARITY.automaton)
    # Without leaving it out, its sign is a state of its own, and drowns the others.
    assert not equivalent(snapped_automaton(wide, random_words(), empty=True, silent=0).automaton, PARITY.automaton)


def test_the_fewest_clusters_that_move_like_a_machine_are_chosen():
    network, words = network_of(PARITY.automaton), random_words()
    choice = choose_clusters(network, words, empty=True)
    assert choice.enough
    assert 2 <= choice.clusters <= 4
    assert list(choice.scores) == list(range(1, choice.clusters + 1))
    assert choice.scores[1] == pytest.approx(0.5, abs=0.1)
    assert choice.scores[choice.clusters] == 1
    never = choose_clusters(network, words, empty=True, tries=(1,))
    assert (never.clusters, never.enough) == (1, False)


def test_clusters_that_only_say_the_right_thing_are_not_enough():
    """A network that says no to everything and goes where no machine of three states goes."""
    silent = replace(unlearnt(gain=5.0), readout=np.zeros(12), offset=-1.0)
    choice = choose_clusters(silent, random_words(count=100), empty=False, tries=(3,))
    assert not choice.enough
    assert choice.scores[3] < 0.9


def test_questions_doubt_more_than_what_they_were_given():
    machine = LANGUAGES["Tomita 5"].automaton
    only_a = np.zeros((100, 20), int)
    assert read_automaton(network_of(machine), only_a, empty=True, route="questions", truth=machine).verdict


@pytest.mark.parametrize("gain", [0.0, 0.5, 5.0], ids=["constant", "fading", "chaotic"])
def test_a_network_that_learnt_nothing_gives_an_answer_by_every_route(gain):
    language = LANGUAGES["Tomita 5"]
    words = training_words(language.automaton, 60, 40, seed=0)
    for found in read_by_all_routes(unlearnt(gain=gain), words, empty=True, truth=language.automaton):
        assert not found.verdict, str(found)
        assert found.verdict.counterexample is not None
        assert 0 <= found.fidelity <= 1
        assert found.automaton.accepts("") or found.verdict.counterexample == ()


def test_what_has_too_many_states_is_given_up():
    words = random_words()
    asked = read_automaton(unlearnt(gain=5.0), words, empty=True, route="questions")
    assert not asked.finished
    assert "gave up" in str(asked)
    few = snapped_automaton(unlearnt(gain=5.0), words, empty=True, most=20)
    assert not few.finished
    assert len(few.automaton) == 20
    assert snapped_automaton(network_of(PARITY.automaton), words, empty=True, most=20).finished


def test_the_same_seed_reads_the_same():
    network, words = unlearnt(gain=2.0), random_words(count=40)
    for route in ROUTES:
        one, other = (read_automaton(network, words, empty=True, route=route, seed=3) for _ in range(2))
        assert equivalent(one.automaton, other.automaton)
        assert (one.states, one.fidelity) == (other.states, other.fidelity)


@pytest.mark.parametrize("route", ROUTES)
def test_a_network_that_diverged_is_refused(route):
    broken = ElmanNetwork(("a", "b"), np.full((2, 2), np.nan), np.eye(2), np.zeros(2), np.ones(2), 0.0)
    with pytest.raises(ValueError, match="NaN or infinite: has the training diverged"):
        read_automaton(broken, random_words(), empty=True, route=route)


def test_bad_calls_are_refused():
    network = network_of(PARITY.automaton)
    with pytest.raises(ValueError, match="'guessing' is no route: choose one of sign, rounding"):
        read_automaton(network, random_words(), empty=True, route="guessing")
    with pytest.raises(ValueError, match=r"\(count, length\)"):
        read_automaton(network, np.zeros((3, 0)), empty=True)
    with pytest.raises(ValueError, match="no number of clusters"):
        choose_clusters(network, random_words(), empty=True, tries=())

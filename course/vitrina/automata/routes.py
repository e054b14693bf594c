"""Ways to read an automaton from a recurrent network, all called alike, so that none is believed alone.

Four name the hidden states (by signs, by rounding, by clusters, by as many clusters as make a machine) and count what
leads where. One asks the network about words and never looks inside. One changes the network: after each symbol every
unit is set to -1 or 1, which only a network whose states are discrete survives.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from vitrina.automata.discretising import by_clusters, by_rounding, by_sign, clusterer
from vitrina.automata.elman import extract, watch
from vitrina.automata.learning import Path, learn
from vitrina.automata.machines import DFA, States, as_words
from vitrina.automata.minimisation import Equivalence, equivalent, minimise
from vitrina.automata.networks import Floats, RecurrentNetwork
from vitrina.automata.snapping import snapped_automaton

#: Clusters of the route that does not choose them. Networks of 12 units use some 10 to 40 corners; too many clusters do
#: no harm, as minimising merges them.
CLUSTERS = 20
#: Numbers of clusters to choose among.
TRIES = (1, 2, 3, 4, 5, 6, 8, 10, 12, 14, 17, 20, 24, 30)


@dataclass(frozen=True, eq=False)
class Reading:
    """
    An automaton that was read from a network, and how far to trust it.

    Attributes
    ----------
    route : str
        How it was read: a key of `ROUTES`.
    automaton : DFA
        Minimised.
    states : int
        States before it was minimised, the start among them.
    determinism : float
        Share of the observed moves that the automaton's table follows; 1 where the route cannot give anything else.
    fidelity : float
        Share of the prefixes of the words it was read from on which automaton and network say the same.
    finished : bool
        False where the route gave up: more states than it looks at, 100 of the questions or 5000 corners.
    seconds : float
        Of the processor, which reading and the proof took.
    verdict : Equivalence or None
        Whether it is equivalent to the true automaton, with a shortest counterexample; None if none was given.
    """

    route: str
    automaton: DFA
    states: int
    determinism: float
    fidelity: float
    finished: bool
    seconds: float
    verdict: Equivalence | None

    def __str__(self) -> str:
        """One line."""
        proof = "" if self.verdict is None else ", equivalent" if self.verdict else f", wrong on {self._missed!r}"
        return (
            f"{self.route}: {self.states} states, minimised {len(self.automaton)}, determinism {self.determinism:.4f}, "
            f"fidelity {self.fidelity:.4f}{proof}{'' if self.finished else ', gave up'}, {self.seconds:.2f} s"
        )

    @property
    def _missed(self) -> str:
        word = self.verdict.counterexample if self.verdict is not None else None
        return "".join(map(str, word or ()))


@dataclass(frozen=True, eq=False)
class _Found:
    """What a route finds, before it is compared with anything."""

    automaton: DFA
    states: int
    determinism: float = 1.0
    finished: bool = True


_Route = Callable[[RecurrentNetwork, States, bool, int], _Found]


def read_automaton(
    network: RecurrentNetwork,
    words: npt.ArrayLike,
    *,
    empty: bool,
    route: str = "sign",
    truth: DFA | None = None,
    seed: int = 0,
) -> Reading:
    """
    Read an automaton from a network.

    Parameters
    ----------
    network
        Trained; without noise while it is read.
    words : array of ints, shape (count, length)
        Numbers of symbols. What the network reads while it is watched or doubted; 400 words of 50 symbols, half of them
        near the language (`training_words`), do for the course's languages.
    empty
        Whether the empty word belongs: the network says nothing before the first symbol.
    route
        A key of `ROUTES`.
    truth
        The true automaton, for the verdict alone.
    seed
        For what the route draws.

    Returns
    -------
    Reading

    Raises
    ------
    ValueError
        If there is no such route, there are no words, or the network's states are not finite.
    """
    if route not in ROUTES:
        raise ValueError(f"{route!r} is no route: choose one of {', '.join(ROUTES)}")
    read = as_words(words, network.alphabet)
    if read.ndim != 2 or not read.size:
        raise ValueError(f"words have the shape (count, length) and some symbols, got {read.shape}")
    if not np.all(np.isfinite(network.states(read))):
        raise ValueError("some activations are NaN or infinite: has the training diverged?")
    began = time.process_time()
    found = ROUTES[route](network, read, empty, seed)
    verdict = None if truth is None else equivalent(truth, found.automaton)
    seconds = time.process_time() - began
    fidelity = network.accuracy(found.automaton, read)
    return Reading(route, found.automaton, found.states, found.determinism, fidelity, found.finished, seconds, verdict)


def read_by_all_routes(
    network: RecurrentNetwork, words: npt.ArrayLike, *, empty: bool, truth: DFA | None = None, seed: int = 0
) -> list[Reading]:
    """Read an automaton by each of `ROUTES`; parameters as of `read_automaton`."""
    return [read_automaton(network, words, empty=empty, route=each, truth=truth, seed=seed) for each in ROUTES]


def _by_names(name_states: Callable[[Floats], States]) -> _Route:
    def route(network: RecurrentNetwork, words: States, empty: bool, _: int) -> _Found:
        found = extract(network, words, empty=empty, name_states=name_states)
        return _Found(found.automaton, found.states, found.observation.determinism)

    return route


def _by_clusters(network: RecurrentNetwork, words: States, empty: bool, seed: int) -> _Found:
    return _by_names(partial(by_clusters, clusters=CLUSTERS, seed=seed))(network, words, empty, seed)


def _by_chosen_clusters(network: RecurrentNetwork, words: States, empty: bool, seed: int) -> _Found:
    chosen = choose_clusters(network, words, empty=empty, seed=seed).clusters
    return _by_names(partial(by_clusters, clusters=chosen, seed=seed))(network, words, empty, seed)


@dataclass(frozen=True)
class ClusterChoice:
    """
    How many clusters make a network a machine.

    Attributes
    ----------
    clusters : int
        The fewest of those tried that do, else the best of them.
    scores : dict
        By number of clusters: the smaller of the observation's determinism and the automaton's fidelity.
    enough : bool
        Whether the chosen number does.
    """

    clusters: int
    scores: Mapping[int, float]
    enough: bool


def choose_clusters(
    network: RecurrentNetwork,
    words: npt.ArrayLike,
    *,
    empty: bool,
    tries: Sequence[int] = TRIES,
    threshold: float = 0.999,
    seed: int = 0,
) -> ClusterChoice:
    """
    Find the smallest number of clusters that move like a machine which says what the network says.

    Too few clusters put states together that go different ways, or say different things: determinism or fidelity is
    low. Nobody needs to know the true number of states.

    Parameters
    ----------
    network, words, empty, seed
        As of `read_automaton`.
    tries
        Numbers to try, in rising order.
    threshold
        Share of moves and of prefixes on which the machine must be right.

    Returns
    -------
    ClusterChoice

    Raises
    ------
    ValueError
        If no number is to be tried, or the network's states are not finite.
    """
    if not tries:
        raise ValueError("there is no number of clusters to try")
    read = as_words(words, network.alphabet)
    hidden, scores = network.states(read), dict[int, float]()
    said, name = network.logits(hidden[:, 1:]) > 0, clusterer(hidden[:, 1:], seed=seed)
    for clusters in tries:
        seen = watch(network, read, hidden, empty=empty, name_states=lambda _, count=clusters: name(count))
        machine = seen.automaton(missing="stay")
        fidelity = np.mean(machine.outputs[machine.run(read)[:, 1:]] == said)
        scores[clusters] = min(seen.determinism, float(fidelity))
        if scores[clusters] >= threshold:
            return ClusterChoice(clusters, scores, True)
    return ClusterChoice(max(scores, key=lambda clusters: scores[clusters]), scores, False)


def _by_questions(network: RecurrentNetwork, words: States, empty: bool, seed: int) -> _Found:
    """L* with the network as the teacher: a guess holds until a word near the watched ones, or any word, refutes it."""
    doubts = _doubts(words, len(network.alphabet), seed)
    said = network.accepts(doubts)

    def membership(asked: Sequence[Path]) -> list[bool]:
        return _asked(network, asked, empty)

    def counterexample(guess: DFA) -> tuple[object, ...] | None:
        states = np.full(len(doubts), guess.start)
        for end, symbols in enumerate(doubts.T):
            states = guess.transitions[states, symbols]
            wrong = guess.outputs[states] != said[:, end]
            if wrong.any():
                return tuple(network.alphabet[symbol] for symbol in doubts[wrong.argmax(), : end + 1])
        return None

    learnt = learn(membership, counterexample, network.alphabet)
    return _Found(minimise(learnt.automaton), len(learnt.automaton), finished=learnt.finished)


def _doubts(words: States, symbols: int, seed: int) -> States:
    """Words to refute a guess with: those given, the same with one symbol changed, and as many random ones."""
    generator = np.random.default_rng(seed)
    changed = words.copy()
    places = np.arange(len(words)), generator.integers(words.shape[1], size=len(words))
    changed[places] = generator.integers(symbols, size=len(words))
    return np.concatenate([words, changed, generator.integers(symbols, size=words.shape)])


def _asked(network: RecurrentNetwork, asked: Sequence[Path], empty: bool) -> list[bool]:
    """What the network says at the end of words of different lengths: shorter ones are filled up and read off early."""
    numbers = {symbol: number for number, symbol in enumerate(network.alphabet)}
    lengths = np.array([len(word) for word in asked])
    filled = np.zeros((len(asked), int(lengths.max(initial=0))), np.int64)
    for row, word in zip(filled, asked, strict=True):
        row[: len(word)] = [numbers[symbol] for symbol in word]
    hidden = network.states(filled)[np.arange(len(asked)), lengths]
    return np.where(lengths == 0, empty, network.logits(hidden) > 0).tolist()


def _by_snapping(network: RecurrentNetwork, words: States, empty: bool, _: int) -> _Found:
    snapped = snapped_automaton(network, words, empty=empty)
    return _Found(minimise(snapped.automaton), len(snapped.automaton), finished=snapped.finished)


#: By name: how to read an automaton. "snap" reads one from the network with snapped states.
ROUTES: Mapping[str, _Route] = MappingProxyType(
    {
        "sign": _by_names(by_sign),
        "rounding": _by_names(by_rounding),
        "clusters": _by_clusters,
        "chosen clusters": _by_chosen_clusters,
        "questions": _by_questions,
        "snap": _by_snapping,
    }
)

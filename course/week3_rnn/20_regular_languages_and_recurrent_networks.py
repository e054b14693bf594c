# %% [markdown]
# # Which languages can be read with a small memory?
#
# You sit at a conveyor belt. Letters go by, `a` and `b`, one at a time, for ever. After each you must say whether what
# has come since the last `$` is "right". You may not write anything down, and you can keep in mind **one of four
# words**: say *calm*, *alert*, *alarm*, *lost*. Which tasks can you do? And if a neural network sits there in your
# place, does it need the four words too?
#
# When you are done you will be able to
#
# - read and draw a finite automaton, as an acceptor, a Moore and a Mealy machine;
# - say what "minimal" means without saying "automaton": by which beginnings can be told apart;
# - describe an Elman network as a machine with continuous states;
# - train one in seconds, and watch what it can do on long words while it learns short ones;
# - draw words that teach and test: balanced, near misses, a label at every prefix.

# %%
from dataclasses import replace
from itertools import product

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import ListedColormap

from vitrina.automata import (
    LANGUAGES,
    TOMITA,
    adder,
    balanced_words,
    draw_words,
    near_misses,
    stream,
    word_counts,
)
from vitrina.automata.samples import training_words
from vitrina.automata.training import train
from vitrina.automata.weights import TRAININGS
from vitrina.automata_plots import draw_machine
from vitrina.quick import quick, right, wrong
from vitrina.recurrent_parts import STATE_COLOURS
from vitrina.recurrent_plots import show_accuracy_by_length, show_activations, show_state_map

# %% [markdown]
# ## Words and languages
#
# An **alphabet** is a set of symbols, here $\{a, b\}$. A **word** is a sequence of them; the empty one is written ε. A
# **language** is a set of words, and usually an infinite one. "An even number of `a`" is a language: `abba` belongs,
# `ab` does not, ε does.
#
# Seven small languages by Tomita (1982) have become the fruit flies of this field: easy to state, of different kinds,
# and hard enough. Two more join them here.

# %%
every = ["".join(letters) for length in range(1, 6) for letters in product("ab", repeat=length)]
for name, language in LANGUAGES.items():
    belong = [word for word in every if language.contains(word)][:4]
    others = [word for word in every if not language.contains(word)][:4]
    share = word_counts(language.automaton, 12)[12, language.automaton.start] / 2**12
    print(f"{name}: {language.meaning}")
    print(f"   in: {'  '.join(belong):20} out: {'  '.join(others):26} {share:7.2%} of 12 letters")

# %% [markdown]
# ## Machines
#
# Now the four words. *Calm* means "fine, the last letter was no `b`", *alert* "fine, one `b`", *alarm* "fine, two `b`",
# *lost* "there was a `bbb`, and nothing can help". Start with *calm*. Hear a letter, look up the next word, forget all
# else. That is a **deterministic finite automaton** (DFA) for Tomita 4: states, a start, a table of what leads where,
# and which states accept.

# %%
lost = TOMITA[4].automaton
draw_machine(lost, title="Tomita 4: nowhere bbb", names=["calm", "alert", "alarm", "lost"])

# %% [markdown]
# Follow a word with your finger. A double rim accepts. Grey is a **trap**: who is in never comes out. A language which
# some such machine accepts is called **regular**. Here are all nine, each as small as it can be.

# %%
figure, panels = plt.subplots(3, 3, figsize=(10.5, 8.5), layout="constrained")
for panel, (name, language) in zip(panels.flat, LANGUAGES.items(), strict=True):
    draw_machine(language.automaton, title=name, axes=panel)
figure

# %% [markdown]
# Look for the kinds: languages that *look back* a little (1, 2, 4, b(a|b)*a), that *count* in a circle (5, 6, parity:
# no trap, nothing is ever lost), that go through *phases* (7), and a mixture (3).

# %%
quick(
    "In which machine does it matter for ever whether the very first letter was `a` or `b`, whatever follows?",
    wrong("Tomita 4", "A single b is forgotten at the next a: both lead to the same state."),
    right("parity", "`a` exchanges the two states. From different states the same letters never lead to one state."),
    wrong("In none: machines forget", "Some do. Where every letter exchanges states, nothing is ever forgotten."),
)

# %% [markdown]
# ## One long text
#
# The belt does not stop between words. In the papers of this course the words stand in one long **stream**. A `$` opens
# each, and *every* symbol has a label: does what has come since the last `$` belong? Green: yes.

# %%
text = stream(TOMITA[4].automaton, 44, reset=0.12, weights=[1, 2], seed=4)
figure, axes = plt.subplots(figsize=(10, 0.8), layout="constrained")
axes.imshow(text.labels[None], cmap=ListedColormap(["0.93", "#b5d6b5"]), vmin=0, vmax=1)
for place, symbol in enumerate(text.text):
    axes.text(place, 0, symbol, ha="center", va="center", weight="bold" if symbol == "$" else None)
axes.set_axis_off()
print(f"{text.labels.sum()} of {len(text.text)} prefixes belong to Tomita 4")

# %% [markdown]
# Labels at each prefix are the great help of this week. With a label at the end of each word only, a network must find
# out by itself *when* something happened. In a trial, 9 of 40 such trainings found the language; with a label at each
# prefix, all 40 did.
#
# ## What "minimal" means
#
# How many states does a language need? Myhill and Nerode found an answer that does not speak of machines at all. Take
# two beginnings $u$ and $v$. They are **the same for the language** if no ending tells them apart:
#
# $$u \equiv v \quad\Longleftrightarrow\quad \text{for all endings } w: \;\; uw \in L \Leftrightarrow vw \in L$$
#
# If some ending tells them apart, you *must* have been in two different states after them. If none does, you may as
# well be in the same. So the number of states that are needed is the number of kinds of beginnings: **the minimal
# automaton has one state for each, and there is only one such machine.** Make a table: a row for each beginning, a
# column for each ending, black if the whole word belongs. Equal rows are one state.


# %%
def table_of(contains, longest):
    """Beginnings and endings up to a length, and whether each pair belongs."""
    parts = ["".join(p) for length in range(longest + 1) for p in product("ab", repeat=length)]
    return parts, np.array([[contains(u + w) for w in parts] for u in parts])


def same_number(word):
    """Some a, then as many b."""
    half = len(word) // 2
    return word == "a" * half + "b" * half


parts, belongs = table_of(TOMITA[3].contains, 3)
kinds, kind = np.unique(belongs, axis=0, return_inverse=True)
order = np.argsort(kind, kind="stable")
figure, (rows, growth) = plt.subplots(1, 2, figsize=(10, 3.6), layout="constrained")
rows.imshow(belongs[order], cmap="gray_r", aspect="auto", vmax=1.4)
rows.set_yticks(range(len(parts)), [parts[index] or "ε" for index in order], fontsize=8)
rows.set_xticks(range(len(parts)), [part or "ε" for part in parts], rotation=90, fontsize=8)
for edge in np.flatnonzero(np.diff(kind[order])):
    rows.axhline(edge + 0.5, color="tab:red", linewidth=2)
rows.set(title=f"Tomita 3: {len(kinds)} kinds of beginnings", ylabel="beginning", xlabel="ending")
for name, contains in {
    "Tomita 5": TOMITA[5].contains,
    "Tomita 3": TOMITA[3].contains,
    "as many a, then b": same_number,
}.items():
    counts = [len(np.unique(table_of(contains, longest)[1], axis=0)) for longest in range(7)]
    growth.plot(range(7), counts, "o-", label=name)
growth.set(xlabel="longest beginning and ending", ylabel="kinds", title="Does it end?")
growth.legend()
print(f"automaton of Tomita 3: {len(TOMITA[3].automaton)} states")

# %% [markdown]
# On the left, the red lines separate the kinds; their number is that of the states above. On the right, the tables of
# regular languages stop to find new kinds. "Some `a`, then as many `b`" never stops: you must remember how many `a`
# there were, and no finite number of words will do. It is **not regular**, and no finite automaton, and so nothing that
# we can read from a network this week, does it for all lengths.

# %%
quick(
    "A machine for Tomita 5 with 11 states is right on every word. Its minimal automaton has 4. What are the others?",
    wrong("Errors", "It is right on every word. Nothing follows about how economically."),
    right(
        "Copies: states that no ending tells apart from others, or that no word reaches",
        "Merging what cannot be told apart never changes an answer. That is minimisation, and you will write it.",
    ),
    wrong("States for longer words", "A finite automaton has no states for lengths. It goes round and round."),
)

# %% [markdown]
# ## Machines that speak
#
# Accepting is a way of speaking: yes or no in each state. A **Moore machine** says something in each *state*. A **Mealy
# machine** says something at each *move*, and so it may answer differently to different symbols from the same state.
# Adding two numbers digit by digit, from the last, is the classic. What must be kept in mind is the carry, and nothing
# else.

# %%
adding = adder(2)
digits = [(1, 0), (1, 1), (0, 1), (1, 0), (0, 0)]
print("1011 + 0110, the last digit first:", adding.transduce(digits))
for base in (2, 4, 10):
    mealy = adder(base)
    print(f"base {base:2}: Mealy {len(mealy)} states, Moore {len(mealy.moore(0))} states")
draw_machine(adding, title="base 2: digits / digit of the sum", names=["no\ncarry", "carry"])

# %% [markdown]
# The Moore machine must keep in mind what it is about to say, and needs a state for each carry *and* digit. The papers
# show that this is felt by networks, too: one that speaks from its recurrent state behaves as a Moore machine; a second
# layer that also sees the input makes it a Mealy machine, and leaves the memory smaller.
#
# ## A network is a machine with continuous states
#
# The **Elman network** (1990) does what you do at the belt. It keeps a state $h$, hears a symbol $x_t$ (one-hot: a 1 at
# the place of the symbol), makes a new state from both, forgets the old one, and says what it thinks:
#
# $$h_t = \tanh(W x_t + U h_{t-1} + b), \qquad \text{logit}_t = v \cdot h_t + c.$$
#
# | machine | network |
# | --- | --- |
# | state: one of a few names | $h$: twelve numbers between −1 and 1 |
# | table: state and symbol → state | $\tanh(W x + U h + b)$ |
# | start | $h_0 = 0$ |
# | accepting states | the side of a plane: $v \cdot h + c > 0$ |
#
# It is the same scheme, with infinitely many states. Nothing forces it to use only a few places. Here is a network that
# knows nothing yet, and one that was trained for two seconds. Each column is the state after a symbol, red positive,
# blue negative; below it what the network says, framed where it is wrong, and in which state the true automaton is.

# %%
recipe = TRAININGS["l1"]
untrained = train(lost, replace(recipe, steps=0), restarts=1, seed=3)[0]
trained = train(lost, recipe, restarts=1, seed=3)[0]
both = {"untrained": untrained, "trained": trained}
word = "abbabbaabbbab$babba"
figure, panels = plt.subplots(1, 2, figsize=(11.5, 3.9), layout="constrained")
for panel, (title, network) in zip(panels, both.items(), strict=True):
    show_activations(network, word, automaton=lost, title=f"Tomita 4, {title}", axes=panel)
figure

# %% [markdown]
# Look at the columns on the right. Wherever the automaton is in the same state, the columns are *similar*; equal they
# are not. The same states as points in a plane (the two directions in which they differ most):

# %%
walks = training_words(lost, 60, 25, seed=0)
called = ["calm", "alert", "alarm", "lost"]
figure, panels = plt.subplots(1, 2, figsize=(10, 3.8), layout="constrained")
for panel, (title, network) in zip(panels, both.items(), strict=True):
    show_state_map(network, walks, automaton=lost, names=called, title=title, axes=panel)
figure

# %% [markdown]
# The colours are the automaton's states, which the network has never seen. Training has sorted the cloud by them: the
# network found that these four kinds of beginnings must be told apart. This is the observation that started the field
# (Cleeremans and others, 1989). **There is an automaton in there; but it is in clouds, and clouds have no edges.** To
# make points of the clouds is the subject of lesson 30.
#
# ## Watch it learn
#
# How do you train it yourself? One line, and a few seconds for four networks at once:
#
# ```python
# networks = train(TOMITA[7].automaton, TRAININGS["l1"], restarts=4, seed=0)
# ```
#
# `train` draws 2,000 words of 12 letters, labels each prefix, and does 2,000 steps of Adam with back-propagation
# through time, written out in NumPy (`vitrina/automata/training.py`). The automaton only labels the words; no network
# ever sees it. We do it with more and more steps, and test on words as long as those of the training and on far longer
# ones.

# %%
phases = TOMITA[7].automaton
tests = {length: training_words(phases, 100, length, seed=9) for length in (12, 50, 400)}
budgets = [0, 50, 100, 200, 400, 800, 1600]
recipes = {steps: replace(recipe, steps=steps) for steps in budgets}
learning = {steps: train(phases, how, restarts=4, seed=0) for steps, how in recipes.items()}
figure, axes = plt.subplots(figsize=(6, 3.4), layout="constrained")
for length, colour in zip(tests, ("#0072b2", "#e69f00", "#d55e00"), strict=True):
    scores = np.array([[n.accuracy(phases, tests[length]) for n in learning[s]] for s in budgets])
    axes.fill_between(budgets, scores.min(axis=1), scores.max(axis=1), color=colour, alpha=0.2)
    axes.plot(budgets, scores.mean(axis=1), "o-", color=colour, label=f"{length} letters")
    print(f"{length:3} letters: accuracy from {scores[0].mean():.3f} to {scores[-1].mean():.3f}")
axes.set_xscale("symlog", linthresh=50)
axes.set_xticks(budgets, budgets)
axes.set(xlabel="steps of training", ylabel="accuracy", title="Tomita 7, four networks")
axes.legend(title="test words of")
figure.align_labels()

# %% [markdown]
# Words of the length that it trains on are learnt soon. On longer words it lags behind; and **with more training some
# of the four networks become worse there again** (the bands reach down). They have tuned themselves to 12 letters, and
# nothing in the loss speaks of a thirteenth. Look at it letter by letter; a thin line is a network.

# %%
show_accuracy_by_length(
    {f"{steps} steps": learning[steps] for steps in (200, 400, 1600)},
    phases,
    training_words(phases, 100, 1000, seed=10),
    trained_length=12,
    title="Tomita 7: grey is where it was trained",
)

# %% [markdown]
# ## Words that teach, and words that test
#
# The words above were not drawn at random, and that is no detail. Look at the languages' shares in the first table.
# Of a hundred thousand random words of 20 letters, about how many belong to Tomita 7? And what is a network worth that
# has learnt to say *no*?
#
# We let two **cheats** take the exam. One always says no. The other has understood that words of Tomita 7 have few
# changes of letter, and accepts up to six (right would be: three from `b`, two from `a`). Three exams: random words; a
# **balanced** one, half of the words in the language and half not; and **near misses**, pairs of words that differ in a
# single letter, one inside and one outside.


# %%
def changes(words):
    """How often the letter changes, and whether the first is a."""
    return (words[:, 1:] != words[:, :-1]).sum(axis=1), words[:, 0] == 0


candidates = {
    "always no": lambda words: np.zeros(len(words), bool),
    "few changes": lambda words: changes(words)[0] <= 6,
    "the rule": lambda words: changes(words)[0] + changes(words)[1] <= 3,
}
inside, outside = near_misses(phases, 2000, 20, seed=0)
exams = {
    "random": np.random.default_rng(0).integers(2, size=(100_000, 20)),
    "balanced": balanced_words(phases, 4000, 20, seed=0)[0],
    "near misses": np.concatenate([inside, outside]),
}
print(f"{'':14}" + "".join(f"{name:>14}" for name in exams))
for name, says in candidates.items():
    marks = [np.mean(says(w) == phases.outputs[phases.run(w)[:, -1]]) for w in exams.values()]
    print(f"{name:14}" + "".join(f"{mark:14.1%}" for mark in marks))
letters = np.array(["a", "b"])
for one, other in zip(inside[:3], outside[:3], strict=True):
    print("inside", "".join(letters[one]), "  outside", "".join(letters[other]))

# %% [markdown]
# Random words pass them both. The balanced exam finds the first cheat, and lets the second one pass: a random word
# *outside* is so far outside that a rough idea will do. Only near misses ask for the rule itself. **A high accuracy is
# a statement about the exam as well.**
#
# For the same reason random words do not *teach*. Where does the automaton spend its time while it reads?

# %%
materials = {
    "random": np.random.default_rng(1).integers(2, size=(2000, 20)),
    "inside": draw_words(phases, 2000, 20, seed=1),
    "training words": training_words(phases, 2000, 20, seed=1),
}
figure, panels = plt.subplots(1, 3, figsize=(10, 2.6), sharey=True, layout="constrained")
for panel, (name, words) in zip(panels, materials.items(), strict=True):
    states = phases.run(words)[:, 1:]
    shares = np.array([(states == state).mean(axis=0) for state in range(len(phases))])
    panel.stackplot(range(1, 21), shares, colors=[*STATE_COLOURS[:4], "0.8"])
    panel.set(title=name, xlabel="letters read", xlim=(1, 20), ylim=(0, 1))
panels[0].set_ylabel("share of the words")
panels[2].legend(["b*", "b*a*", "b*a*b*", "b*a*b*a*", "trap"], loc="upper left", fontsize=8,
                 bbox_to_anchor=(1, 1))  # fmt: skip
figure.align_labels()

# %% [markdown]
# Random words are in the trap after a few letters, and stay there: their later labels say "no, no, no". Words from
# inside never show what a mistake is. The kit's `training_words` mix both: half of them any words (with more `a` in
# some and more `b` in others), half staying out of the trap, and half of those with one slip somewhere.

# %%
quick(
    "You test your network for Tomita 1 (only `a`) on 1,000 random words of 30 letters. It is right on all. What next?",
    wrong("Read its automaton: it has learnt the language", "A network that always says no would have passed."),
    wrong("Take 1,000,000 random words", "The chance that one of them is all a is below one in a thousand."),
    right(
        "Test words inside the language, and such words with one `b` somewhere",
        "Then saying no fails on the first kind, and overlooking an early b fails on the second.",
    ),
)

# %% [markdown]
# ## What goes wrong in practice
#
# - **The classes are unbalanced, and nobody looked.** 99.8 % right, and nothing learnt.
# - **Only short words were tested.** What is right at length 12 may fall apart at 400: an error in $h$ can grow with
#   each step, and nothing in the loss has ever forbidden it.
# - **A label at the end of each word only.** Then most languages here are not learnt at all.
# - **The state is carried from one word to the next, or not, and the test does the other.** In a stream the network
#   must learn what `$` means; with words of their own it begins at 0.
# - **Clouds are taken for states.** The colours in the map come from the true automaton. Without it, where does one
#   cloud end? Lesson 30 answers.
# - **Regular is assumed.** If the language is not regular, you will still find *some* automaton. It is right for short
#   words.
#
# ## What to take away
#
# - A finite automaton is a small memory with a table. Minimal: one state for each kind of beginning that some ending
#   tells apart.
# - An Elman network is the same scheme with continuous states. Training sorts them into clouds, one or more for each
#   state of an automaton that it has never seen.
# - Train with a label at each prefix and with words that show mistakes; test with near misses and with long words.
#
# ### References
#
# - Tomita (1982). Dynamic construction of finite automata from examples using hill-climbing. Proceedings of the Fourth
#   Annual Conference of the Cognitive Science Society, 105-108. *The seven languages.*
# - Nerode (1958). Linear automaton transformations. doi 10.1090/S0002-9939-1958-0135681-9. *Which beginnings are the
#   same.*
# - Mealy (1955). A method for synthesizing sequential circuits. doi 10.1002/j.1538-7305.1955.tb03788.x. *Speaking while
#   moving.*
# - Elman (1990). Finding structure in time. doi 10.1207/s15516709cog1402_1. *The network.*
# - Cleeremans, Servan-Schreiber and McClelland (1989). Finite state automata and simple recurrent networks.
#   doi 10.1162/neco.1989.1.3.372. *Clouds that follow an automaton.*
# - Oliva and Lago-Fernández (2019). On the interpretation of recurrent neural networks as finite state machines.
#   doi 10.1007/978-3-030-30487-4_25. *Streams, and the road from here.*
# - Oliva and Lago-Fernández (2021). Separation of memory and processing in dual recurrent neural networks.
#   arXiv 2005.13971. *Moore and Mealy.*

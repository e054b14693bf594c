# %% [markdown]
# # From network to automaton
#
# A network has learnt that a word is good as long as nowhere in it stands `bbb`. It was right on every word that
# anybody has tried. But 193 numbers that were right so far are a promise, not an explanation. **Can you put a drawing
# in its place, and prove that the drawing is right on all words, also on those that nobody will ever try?**
#
# When you are done you will be able to
#
# - name the hidden states of a network in three ways, and measure whether the names make a machine;
# - choose the number of clusters without knowing the answer;
# - read an automaton, make it as small as it can be, and prove it right, or find the shortest word that it gets wrong;
# - learn an automaton by asking alone (L*), and say when two routes confirm each other;
# - say why some networks read as Moore machines and others as Mealy machines;
# - recognise what spoils a reading.

# %%
from functools import partial

import matplotlib.pyplot as plt
import numpy as np

from vitrina import quiet

with quiet():  # TensorFlow has much to say when it starts, and nothing that you need
    import keras  # noqa: F401

from vitrina.automata import (
    DFA,
    PARITY,
    TOMITA,
    adder,
    by_clusters,
    by_rounding,
    by_sign,
    equivalent,
    equivalent_states,
    learn,
    minimise,
    observe,
    stream,
)
from vitrina.automata.elman import extract
from vitrina.automata.routes import choose_clusters, read_by_all_routes
from vitrina.automata.samples import training_words
from vitrina.automata.training import Recipe, train
from vitrina.automata.transducer_training import TransducerRecipe, train_transducer_until_accepted
from vitrina.automata.transducers import read_mealy, read_moore
from vitrina.automata.weights import trained_network
from vitrina.automata_plots import draw_machine
from vitrina.quick import quick, right, wrong
from vitrina.reading_plots import show_moves, show_transitions, state_letters
from vitrina.recurrent_plots import show_activations

# %% [markdown]
# ## The network
#
# Tomita's fourth language (1982), and an Elman network of 12 units, trained as in lesson 30 with noise on its state and
# L1 on its weights. After each symbol it says whether the word so far belongs. It has never seen an automaton.

# %%
language = TOMITA[4]
truth = language.automaton  # for the proof at the end; no step before it looks at this
network = trained_network(language.name)
parts = (network.inputs, network.recurrent, network.bias, network.readout, network.offset)
print(f"{language.name}, {language.meaning!r}: {sum(np.size(part) for part in parts)} numbers")
long = training_words(truth, 40, 1000, seed=1)
print(f"right on {network.accuracy(truth, long):.2%} of the prefixes of 40 words of 1,000 symbols")

# %% [markdown]
# ## Step 1: watch it
#
# We let it read 400 words of 50 symbols and write down all that its units do. Which words? Not just any: among a
# hundred random words of 50 symbols, hardly one is free of `bbb`, and once the network has given up on a word there is
# nothing more to see. So half of the words stay near the language.

# %%
words = training_words(truth, 400, 50, seed=2)
hidden = network.states(words)  # (words, symbols + 1, units); before the first symbol 0
print("hidden states:", hidden.shape)
show_activations(network, "abbabbbaab", title="What 12 units do while they read")

# %% [markdown]
# ## Step 2: name the states
#
# A machine has few states, and our network is in a different point of a 12-dimensional cube at every moment. Points
# that mean the same must get the same name:
#
# - **by sign**: a unit is on or off;
# - **by rounding** to −1, 0 or 1: a unit may also be undecided;
# - **by clusters**: $k$-means looks at all units together, and somebody has to choose $k$.
#
# Names are arbitrary; what counts is whether they make a *machine*. Let $N(s, x, s')$ be how often the network went
# from a state named $s$ by the symbol $x$ to one named $s'$. If the names are good, then $s$ and $x$ decide where to
# go:
#
# $$\text{determinism} = \frac{\sum_{s,x} \max_{s'} N(s, x, s')}{\sum_{s,x,s'} N(s, x, s')} = 1.$$
#
# And the name must decide what is said. The share of visits in which a state said what it says most often is the
# *agreement*; it must be 1 as well.


# %%
def watch(name_states):
    """Name all hidden states, the one before the first symbol apart, and count what led where."""
    named = np.zeros(hidden.shape[:2], int)
    named[:, 1:] = 1 + name_states(hidden[:, 1:])
    said = np.column_stack([np.full(len(words), True), network.logits(hidden[:, 1:]) > 0])
    return named, observe(named, words, said, network.alphabet)


namings = {
    "sign": by_sign,
    "rounding": by_rounding,
    "8 clusters": lambda states: by_clusters(states, 8, seed=0),
}
print(f"{'named by':12} {'states':>6} {'determinism':>12} {'agreement':>10}")
for name, naming in namings.items():
    _, counted = watch(naming)
    print(f"{name:12} {len(counted.said):6} {counted.determinism:12.4f} {counted.agreement:10.4f}")

# %% [markdown]
# (The empty word needs a decision of ours: the network says nothing before it has read something. We say that the empty
# word belongs, as `bbb` is nowhere in it, and we give the start a state of its own, ε.)
#
# Two of the three are not perfectly deterministic, for a reason that we hunt down at the end. Let us see first how many
# clusters are enough.
#
# ## Step 3: how many clusters?
#
# The usual advice, an "elbow" in the distances, asks for nice heaps. We can ask for something better: **take the fewest
# clusters that make a machine**. Too few throw states together which go different ways or say different things, and
# both show in the counts. Nobody needs to know the truth for that.

# %%
choice = choose_clusters(network, words, empty=True)
scores, proofs = [], []
numbers = range(1, 13)
for k in numbers:
    naming = partial(by_clusters, clusters=k, seed=0)
    found = extract(network, words, empty=True, name_states=naming)
    scores.append(min(found.observation.determinism, found.observation.agreement))
    proofs.append(bool(equivalent(truth, found.automaton)))

figure, axes = plt.subplots(figsize=(6.4, 3.2), layout="constrained")
axes.plot(numbers, scores, color="0.6", zorder=1)
for verdict, marker, colour in ((True, "o", "#0072b2"), (False, "X", "#d55e00")):
    chosen = [k for k, proof in zip(numbers, proofs, strict=True) if proof == verdict]
    label = "gives the true automaton" if verdict else "gives a wrong one"
    heights = [scores[k - 1] for k in chosen]
    axes.plot(chosen, heights, marker, color=colour, markersize=8, label=label)
axes.axvline(choice.clusters, color="black", linestyle=":", label="chosen: the fewest above 0.999")
axes.set(xlabel="clusters, k", xticks=numbers)
axes.set_ylabel("determinism or agreement,\nwhichever is smaller")
axes.legend(fontsize=8)
axes.grid(alpha=0.3)

# %% [markdown]
# The colours are peeping: they use the true automaton, and the choice does not. Two things are worth a second look.
#
# - **A score that is almost 1 can be nothing.** States in which the network says no are a minority, and those just
#   before a no are fewer still. Names that mix them up are wrong on few moves, and still lose the whole point of the
#   language.
# - **More clusters than needed do little harm**, as long as the moves stay clear: what is cut in two that belongs
#   together is put together again in step 5.

# %%
quick(
    "A score of 0.99, and still a wrong automaton. How can that be?",
    wrong("The rest is noise", "Nothing is random here: the network is run without noise."),
    right(
        "The few moves that do not fit are all about the same thing: counting towards bbb",
        "A majority vote drops what is rare. Rare is not unimportant.",
    ),
    wrong("k-means starts at random", "It does, but no start makes too few clusters enough."),
)

# %% [markdown]
# ## Step 4: where does each state lead?
#
# Here are eight clusters, more than enough, so that there is something to merge later. One map for each symbol: grey
# points are hidden states on two principal components, discs are the clusters, double rims accept. Follow the arrows of
# `b` from ε: where are you after three steps?

# %%
named, counted = watch(namings["8 clusters"])
letters = state_letters(len(counted.said))
show_moves(hidden, counted, named, title="8 clusters: one arrow from each state")

# %%
few_named, few = watch(lambda states: by_clusters(states, 3, seed=0))
show_moves(hidden, few, few_named, title="3 clusters: red dashed moves go elsewhere than most")

# %% [markdown]
# The same as a table. Each row is a state, a dark cell says where it went, the number on the right how often it was
# asked. One dark cell in a row means that the state knows where to go.

# %%
show_transitions(counted, title="8 clusters")

# %% [markdown]
# Now take in each row the most frequent move, and you have an automaton. It is the network's own, as it came: nobody
# has tidied it up.

# %%
raw = counted.automaton()
names = [letters[state] for state in counted.origins()]
draw_machine(raw, names=names, title=f"As it was read: {len(raw)} states")

# %% [markdown]
# ## Step 5: as small as it can be
#
# A network may know the same thing in several ways: "one `b`, after an `a`" and "one `b`, right at the start" are
# different points of the cube, and no word tells them apart. Two states are **equivalent** if every word leads from
# both to the same answer. Moore (1956) finds them by splitting: first put together what says the same, then split
# every group from which some symbol leads into two different groups, until nothing is left to split. What was never
# split is one state.

# %%
automaton = minimise(raw)
groups = np.zeros(len(raw), int)
groups[raw.run(words)] = automaton.run(words)  # what each raw state has become
for state in range(len(automaton)):
    members = [name for name, group in zip(names, groups, strict=True) if group == state]
    print(f"state {state}: {', '.join(members)}")

figure, (left, middle) = plt.subplots(1, 2, figsize=(11, 5), layout="constrained")
draw_machine(raw, names=names, groups=groups, title="equivalent states have one colour", axes=left)
draw_machine(automaton, groups=range(len(automaton)), title="minimised", axes=middle)

# %% [markdown]
# Read it aloud: "no `b` at the end", "one `b`", "two of them", "too late". **That is the explanation of the network**:
# not of one decision, but of all of them. And here is how the four ideas lie among the hidden states:

# %%
of_cluster = np.full(len(counted.said), -1)
of_cluster[counted.origins()] = groups
show_moves(hidden, counted, named, groups=of_cluster, title="Coloured by the small automaton")

# %%
quick(
    "The raw machine has more states than the minimised one. What are they good for?",
    wrong("The network stores mistakes there", "Then some word would tell them apart: no merging."),
    right(
        "It remembers something that makes no difference to any answer",
        "Such as which way it came. Training has no reason to forget what does no harm.",
    ),
    wrong("Nothing: they are never visited", "Each was visited; the table counts how often."),
)

# %% [markdown]
# ## Step 6: prove it
#
# Is it *the* automaton? Testing words can only ever find a mistake. But two finite machines can be compared **on all
# words at once** (Hopcroft and Karp 1971). Let both read the same word, and watch the *pair* of states that they are
# in. There are at most $4 \times 4$ pairs. If in no pair that can be reached one accepts and the other rejects, no word
# tells them apart: a proof about infinitely many words, by looking at a handful of pairs.

# %%
verdict = equivalent(truth, automaton)
both = np.stack([truth.run(words), automaton.run(words)], axis=-1)
pairs = np.unique(both.reshape(-1, 2), axis=0)
print("equivalent:", bool(verdict))
print("pairs that can be reached:", [tuple(pair) for pair in pairs.tolist()])
differ = [truth.outputs[one] != automaton.outputs[other] for one, other in pairs]
print("pairs that disagree:", sum(differ))

# %% [markdown]
# What exactly has been proved? That the *automaton* is the language. That the *network* is the automaton has only been
# seen, on every prefix of the words that were watched. The gap between the two is a matter of the network's
# discreteness, and lesson 50 looks into it.
#
# ### When it is wrong
#
# If there is a pair that disagrees, the shortest way to it is the shortest word that the automaton gets wrong. Here is
# a network whose training was stopped much too early. It looks respectable:

# %%
(poor,) = train(truth, Recipe(kind="multiplicative", noise=1.0, steps=100), restarts=1, seed=0)
poorly = extract(poor, words, empty=True)
verdict = equivalent(truth, poorly.automaton)
print(f"network right on {poor.accuracy(truth, words):.1%} of the prefixes")
print(f"automaton: {poorly.states} states, minimised {len(poorly.automaton)}")
print(f"automaton and network agree on {poor.accuracy(poorly.automaton, words):.1%}")
missed = verdict.counterexample
if missed is not None:
    print("\nshortest counter-example:", "".join(map(str, missed)))
    code = truth.encode(missed)
    answers = {
        "truth": truth.transduce(missed),
        "automaton": poorly.automaton.transduce(missed),
        "network": [True, *poor.accepts(code[np.newaxis])[0]],
    }
    prefixes = ["".join(map(str, missed[:end])) or "ε" for end in range(len(missed) + 1)]
    print(f"{'read':10}", *prefixes, sep="\t")
    for name, said in answers.items():
        print(f"{name:10}", *("yes" if yes else "no" for yes in said), sep="\t")

# %% [markdown]
# A counter-example is worth more than a score. A score tells you to be careful; a word tells you *where* to look.
# It also tells you whom to blame: if the network itself is wrong on that word, reading it better will not help. If the
# network is right and the automaton wrong, the names were bad.
#
# ## A second route: ask, and never look inside
#
# Angluin's L* (1987) learns an automaton from a *teacher* who answers two kinds of questions: does this word belong?
# And: is this automaton right, or else give me a word on which it is wrong. Let the network be the teacher. It answers
# the first by reading; for the second we try the words that we watched. **No hidden state is looked at**, so that this
# route cannot make the mistakes of the first.


# %%
def belongs(asked):
    """Let the network judge words; on the empty word we decide, as above."""
    read = [truth.encode(word)[np.newaxis] for word in asked]
    return [network.accepts(word)[0, -1] if word.size else True for word in read]


guesses = []


def refute(guess):
    """Give the shortest prefix among the watched words on which guess and network differ."""
    differs = guess.outputs[guess.run(words)[:, 1:]] != network.accepts(words)
    word = None
    if differs.any():
        row, end = min(np.argwhere(differs).tolist(), key=lambda place: place[1])
        word = [network.alphabet[symbol] for symbol in words[row, : end + 1]]
    guesses.append((guess, "no objection" if word is None else "wrong on " + "".join(word)))
    return word


learnt = learn(belongs, refute, network.alphabet)
print(f"{learnt.questions} words were asked, {learnt.guesses} guesses shown; "
      f"equivalent to what was read: {bool(equivalent(learnt.automaton, automaton))}")  # fmt: skip
figure = plt.figure(figsize=(4.2 * len(guesses), 3.8), layout="constrained")
for number, (guess, objection) in enumerate(guesses, start=1):
    panel = figure.add_subplot(1, len(guesses), number)
    draw_machine(guess, title=f"guess {number}: {objection}", axes=panel)
    panel.set(xlim=(-2.4, 2.4), ylim=(-2.4, 2.4))
figure

# %% [markdown]
# Two routes that share nothing but the network, and one result. Compare with lesson 30 of week 2, where two methods
# agreed because they were one.
#
# Vitrina knows more routes, all called alike. `snap` is the strictest: after each symbol every unit is set to −1 or 1,
# which only a network with truly discrete states survives.

# %%
for reading in read_by_all_routes(network, words, empty=True, truth=truth):
    proof = "equivalent" if reading.verdict else "WRONG"
    print(f"{reading.route:16} {reading.states:3} states -> {len(reading.automaton)}   determinism "
          f"{reading.determinism:.4f}   {proof}")  # fmt: skip

# %% [markdown]
# ## The automaton that beats its network
#
# Sixteen networks learn *parity* (an even number of `a`) with L1 but **without noise**, on words of 12 symbols. This is
# live training, some seconds. From each we read an automaton by sign, and let both judge words of 1,000 symbols.

# %%
parity = PARITY.automaton
short, far = training_words(parity, 400, 12, seed=4), training_words(parity, 40, 1000, seed=5)
watched = training_words(parity, 400, 50, seed=6)
networks = train(parity, Recipe(noise=0.0), restarts=16, seed=0)
results = []
for one in networks:
    found = extract(one, watched, empty=True)
    read_off = found.automaton
    by_table = np.mean(parity.outputs[parity.run(far)] == read_off.outputs[read_off.run(far)])
    results.append((one.accuracy(parity, short), one.accuracy(parity, far), by_table))
learned, net_far, table_far = np.array(results).T

figure, axes = plt.subplots(figsize=(7.4, 3.2), layout="constrained")
order = np.argsort(net_far)
axes.vlines(range(len(order)), net_far[order], table_far[order], color="0.75", zorder=1)
axes.plot(net_far[order], "o", color="#0072b2", label="the network")
axes.plot(table_far[order], "D", color="#d55e00", markersize=5, label="the automaton read from it")
axes.set(xlabel="16 networks, from the worst to the best", ylabel="accuracy, 1,000 symbols")
axes.set_xticks([])
axes.legend(fontsize=8, loc="lower right")
axes.grid(alpha=0.3)
print(f"words of 12 symbols:    {np.sum(learned == 1)} of 16 networks make no mistake")
print(f"words of 1,000 symbols: {np.sum(net_far == 1)} networks, {np.sum(table_far == 1)} automata")
better, worse = np.sum(table_far > net_far), np.sum(table_far < net_far)
print(f"automaton better than its network: {better}, worse: {worse}")

# %% [markdown]
# Nearly all networks are perfect on words as long as those of their training. On long words some drift away: a little
# inexactness is added at each step, and in the end it crosses a border. Their automata do not drift. **Rounding to
# names threw the inexactness away, and kept the idea.** What the network has not got, its automaton has not either: no
# names make an idea of none. And be fair to noise-free training: from most of these networks the right automaton can be
# read, and reading proves nothing about how well the network itself holds out.

# %%
quick(
    "The automaton is right on every word, its network is not. Is it a faithful explanation?",
    wrong("Yes, it is equivalent to the language", "Faithful means: like the network."),
    right(
        "On short words yes, on long ones it explains what the network was about to do",
        "It explains the rule, not the drift. Say for which lengths you have compared the two.",
    ),
    wrong("No, an explanation may never be better than the model", "It may; but it has to say so."),
)

# %% [markdown]
# ## Moore or Mealy?
#
# So far each state had one answer: a **Moore** machine speaks in its states. A **Mealy** machine speaks while it moves.
# Addition shows the difference. Two numbers are added digit by digit from the last; the state is the carry, and the
# answer depends on the carry *and* on the two digits at hand. In base 2:

# %%
mealy, moore = adder(2), adder(2).moore(first=0)
figure, (left, middle) = plt.subplots(1, 2, figsize=(11, 4.4), layout="constrained")
draw_machine(mealy, names=["0", "1"], title="Mealy: the carry; digits / answer", axes=left)
draw_machine(moore, title="Moore: below its number, each state's answer", axes=middle)
print("1 + 3:", mealy.transduce([(1, 1), (0, 1), (0, 0)])[::-1])  # 01 + 11, from the last digit
figure

# %% [markdown]
# A Moore machine must remember the answer as well as the carry, and so it needs a state for each pair of them. In base
# 10 that is 20 states against 2.
#
# Networks have the same choice. An Elman network's answer is computed from its state alone: it *is* a Moore machine. A
# **dual** network (Oliva and Lago-Fernández 2020) computes its answer from the state and the symbol, in a second layer.
# We train both, and read each in both ways:

# %%
read_pairs = np.random.default_rng(0).integers(4, size=(300, 40))
print(f"{'network':8} {'read as':8} {'minimised':>10} {'agreement':>10}  equivalent")
for name, recipe in {"Elman": TransducerRecipe(processing=0), "dual": TransducerRecipe()}.items():
    adds = train_transducer_until_accepted(mealy, recipe, seed=0).network
    readings = [read_moore(adds, read_pairs, first=0), read_mealy(adds, read_pairs)]
    for kind, reading, target in zip(("Moore", "Mealy"), readings, (moore, mealy), strict=True):
        same = "yes" if equivalent(reading.machine, target) else "no"
        agreement = reading.observation.agreement
        print(f"{name:8} {kind:8} {len(reading.machine):10} {agreement:10.3f}  {same}")

# %% [markdown]
# Read as a Moore machine, the dual network's states do not agree on what they say: the answer is not in the state. Read
# as a Mealy machine everything fits, and only the carry is remembered. The Elman network can be read both ways, at the
# price of more states: each Moore machine is a Mealy machine too.

# %% [markdown]
# ## What goes wrong in practice
#
# ### States that hover near 0
#
# By sign, our network was not quite deterministic. Look for units that are sometimes close to 0: there a sign is
# decided by chance.

# %%
sizes = np.abs(hidden[:, 1:]).reshape(-1, hidden.shape[-1])
hovers = np.mean(sizes < 0.1, axis=0)
for unit in np.argsort(-hovers)[:4]:
    print(f"unit {unit:2}: within 0.1 of 0 in {hovers[unit]:6.2%} of the moments")
worst = int(hovers.argmax())
_, without = watch(lambda states: by_sign(np.delete(states, worst, axis=2)))
_, with_it = watch(by_sign)
for name, seen in {"all units": with_it, f"without unit {worst}": without}.items():
    print(f"by sign, {name:15} {len(seen.said):3} states, determinism {seen.determinism:.4f}")

# %% [markdown]
# Clusters look at all units together and hardly notice one that hovers. Look at the distances from 0 before you trust
# signs; noise in training makes such units rarer, it does not forbid them.
#
# ### Two start states
#
# In the papers the network reads one long stream, in which `$` opens each word and must wipe the memory. So `$` is a
# symbol to be learnt like others. Does it always lead to the same state?

# %%
wiped = np.full(len(truth), truth.start)
with_reset = DFA(("a", "b", "$"), np.column_stack([truth.transitions, wiped]), truth.outputs)
(streaming,) = train(with_reset, Recipe(kind="multiplicative", noise=1.0), restarts=1, seed=0)
text = stream(truth, 20_000, seed=3)
code = with_reset.encode(text.text)[np.newaxis]
states = streaming.states(code)
print(f"right on {np.mean(streaming.accepts(code)[0] == text.labels):.2%} of {code.size:,} symbols")
names_after = by_sign(states[0, 1:])
after, visits = np.unique(names_after[code[0] == 2], return_counts=True)
print(f"{len(np.unique(names_after))} states by sign; `$` leads to {len(after)} of them,",
      f"visited {visits.tolist()} times")  # fmt: skip
opened = extract(streaming, code.reshape(-1, 50), empty=True)
same = bool(equivalent(with_reset, opened.automaton))
print(f"minimised: {len(opened.automaton)} states, equivalent to the true one: {same}")

# %% [markdown]
# `$` lands in different places, depending on what came before: a trace of the past that the network has not wiped. In
# drawings of such automata you will see several start arrows. They are no mistake as long as the start states are
# *equivalent*; minimising tells.
#
# ### Merging equal rows is not minimising
#
# A tempting shortcut: merge states whose rows in the table are equal (same successors, same answer), and repeat. It
# never merges too much, but it can stop too early.


# %%
def merge_equal_rows(machine):
    """Merge states with equal rows until there are none: not enough, see below."""
    while True:
        rows = np.column_stack([machine.transitions, machine.outputs])
        _, first, group = np.unique(rows, axis=0, return_index=True, return_inverse=True)
        if len(first) == len(machine):
            return machine
        merged = group[machine.transitions[first]]
        machine = DFA(machine.alphabet, merged, machine.outputs[first], int(group[machine.start]))


ring = DFA(("a", "b"), [[1, 0], [2, 1], [3, 2], [0, 3]], [True, False, True, False])
for name, machine in {"ring of four": ring, "our network": raw}.items():
    by_rows, by_splitting = len(merge_equal_rows(machine)), len(minimise(machine))
    print(f"{name:13} {by_rows} states by rows, {by_splitting} by splitting")
print("groups of the ring:", equivalent_states(ring))
left = {"by rows": [], "by splitting": []}
for one in networks:
    machine = extract(one, watched, empty=True).observation.automaton(missing="stay")
    left["by rows"].append(len(merge_equal_rows(machine)))
    left["by splitting"].append(len(minimise(machine)))
for name, counts in left.items():
    print(f"states left of the 16 parity networks {name}: {sorted(counts)}")

# %% [markdown]
# In the ring, states 0 and 2 are twins, but each leads to another twin, so that no two rows are ever equal. Counting
# networks are full of such rings. Split from above, do not merge from below.
#
# ### And some more
#
# - **Words that never go anywhere.** Random words soon sit in a trap. Watch words near the language, and look at how
#   often each pair of state and symbol was seen.
# - **Pairs that were never seen** have no most frequent move. Refuse them, send them to a trap or let them stay, but
#   know which: `automaton(missing=...)` asks you.
# - **The test that peeps.** If you choose $k$, the seed or the route by whether the result is equivalent to the truth,
#   you have fitted to the answer. Choose by determinism, agreement and words; prove afterwards.
# - **A network that has learnt nothing** has an automaton as well, with dozens of states or with one. Look at its
#   accuracy first.
#
# ## What you have learnt
#
# - Watch, name, count, take the majority, minimise, prove: six steps from numbers to a drawing.
# - Names are good if they make a machine: determinism and agreement of 1. That also chooses $k$.
# - Equivalence is decided exactly, on all words; when it fails, you get the shortest word that shows it.
# - L* gets there by questions alone. Two routes with nothing in common are evidence.
# - The automaton can be better than its network: it has the idea without the drift.
#
# Lesson 50 asks what the methods of week 2 would have told you about the same networks.
#
# ### References
#
# - Oliva and Lago-Fernández (2019). On the interpretation of recurrent neural networks as finite state machines.
#   doi 10.1007/978-3-030-30487-4_25. *Noise, L1 and the automata of the Tomita languages.*
# - Oliva and Lago-Fernández (2020). Separation of memory and processing in dual recurrent neural networks.
#   arXiv 2005.13971. *Moore and Mealy.*
# - Omlin and Giles (1996). Extraction of rules from discrete-time recurrent neural networks.
#   doi 10.1016/0893-6080(95)00086-0. *The extracted automaton can be better than its network.*
# - Tomita (1982). Dynamic construction of finite automata from examples using hill-climbing. *The seven languages.*
# - Moore (1956). Gedanken-experiments on sequential machines. doi 10.1515/9781400882618-006. *Which states can be told
#   apart.*
# - Hopcroft and Karp (1971). A linear algorithm for testing equivalence of finite automata. *The pairs.*
# - Angluin (1987). Learning regular sets from queries and counterexamples. doi 10.1016/0890-5401(87)90052-6. *L\*.*
# - Weiss, Goldberg and Yahav (2018). Extracting automata from recurrent neural networks using queries and
#   counterexamples. arXiv 1711.09576. *L\* with a network as the teacher.*

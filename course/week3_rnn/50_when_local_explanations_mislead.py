# %% [markdown]
# # When local explanations mislead
#
# For once we have a network of which we know *everything*: lesson 40 proved which automaton it is. Now we let the
# methods of week 2 explain it, as if we knew nothing. **Do they find what we know to be true?**
#
# When you are done you will be able to
#
# - test a local explanation against the truth, symbol by symbol;
# - say why Gradient × Input fades in a saturated network, and why LRP goes astray in it;
# - name questions that no map of one word can answer, and the automaton does;
# - predict from an automaton which errors its network will forget, and which never.

# %%
import matplotlib.pyplot as plt
import numpy as np

from vitrina import quiet

with quiet():  # TensorFlow has much to say when it starts, and nothing that you need
    import keras

from vitrina import explain
from vitrina.automata import LANGUAGES, PARITY, TOMITA, draw_words, equivalent, relevance
from vitrina.automata.elman import extract, saturation
from vitrina.automata.forgetting import forgotten, is_permutation, push
from vitrina.automata.samples import training_words
from vitrina.automata.stability import long_accuracy, returns
from vitrina.automata.training import Recipe, train
from vitrina.automata.weights import trained_network
from vitrina.automata_plots import draw_machine
from vitrina.quick import quick, right, wrong
from vitrina.reading_plots import show_recovery
from vitrina.relevance_plots import show_relevance_strips

# %% [markdown]
# ## A network that is an automaton
#
# Tomita 5: a word belongs if it has an even number of `a` *and* an even number of `b`. The network was trained with
# noise on its state and with L1; what is read from it is equivalent to the true automaton, and each unit is nearly
# always at −1 or 1.

# %%
language = TOMITA[5]
truth = language.automaton
network = trained_network(language.name)
watched = training_words(truth, 400, 50, seed=2)
found = extract(network, watched, empty=True)
saturated = saturation(network.states(watched)[:, 1:])
print(f"{language.meaning}: {len(found.automaton)} states")
print("equivalent to the true automaton:", bool(equivalent(truth, found.automaton)))
print(f"{saturated:.0%} of the activations are beyond 0.9")
draw_machine(found.automaton, groups=range(4), title=language.name)

# %% [markdown]
# ## The truth about one word
#
# Which symbols of a word made it accept? Here we need not guess: put another symbol in the place of one, and see
# whether the answer changes. A symbol is **decisive** if it does. In an accepted word of Tomita 5 *every* symbol is
# decisive, the first like the last: change any, and both counts are odd.
#
# So a true map of such a word is simple: the same everywhere.

# %%
words = draw_words(truth, 400, 12, seed=5)  # accepted ones
decisive = relevance.decisive(truth, words)
logits = network.logits(network.states(words)[:, -1])
print(f"decisive are {decisive.mean():.0%} of the symbols")
print(f"the network accepts {np.mean(logits > 0):.0%} of the words")

# %% [markdown]
# ## What the methods of week 2 say
#
# The network is a `SimpleRNN` and a `Dense` layer, so the functions of week 2 work on it as they are. A symbol enters
# as a one-hot vector; its relevance is what its one entry gets.

# %%
layers = [keras.layers.SimpleRNN(12), keras.layers.Dense(1)]
model = keras.Sequential([keras.Input((None, 2)), *layers])
layers[0].set_weights([network.inputs, network.recurrent, network.bias])
layers[1].set_weights([network.readout[:, None], np.array([network.offset])])
inputs = np.eye(2, dtype="float32")[words]
by_keras = {
    "Gradient × Input": explain.gradient_x_input(model, inputs, 0).sum(axis=2),
    "LRP-ε": explain.lrp(model, inputs, 0, rules=explain.epsilon(1e-3)).sum(axis=2),
}
maps = {
    "Gradient × Input": relevance.gradient_x_input(network, words),
    "LRP-ε": relevance.lrp(network, words),
}
for name, values in maps.items():
    apart = np.abs(values - by_keras[name]).max() / np.abs(values).max()
    print(f"{name}: Keras and `vitrina.automata.relevance` differ by {apart:.0e} of the largest")

# %% [markdown]
# Twelve of the words. Dark is what a map finds most relevant in that word; the panel on the left is what is true.

# %%
some = slice(0, 12)
panels = {"decisive in truth": decisive, **maps}
show_relevance_strips(words[some], "ab", {name: values[some] for name, values in panels.items()})

# %% [markdown]
# Gradient × Input says: *the end of the word*. LRP says something else for each word. Both are wrong, and they
# contradict each other. How large are the numbers, as parts of the logit?

# %%
before_end = np.arange(words.shape[1])
figure, axes = plt.subplots(figsize=(6.6, 3.4), layout="constrained")
for (name, values), colour, marker in zip(maps.items(), ("#0072b2", "#d55e00"), "os", strict=True):
    share = np.median(np.abs(values) / np.abs(logits)[:, None], axis=0)[::-1]
    axes.semilogy(before_end, share, color=colour, marker=marker, label=name)
    whole = np.median(np.abs(values).sum(axis=1) / np.abs(logits))
    print(f"{name:18} sum of sizes / size of the logit: {whole:.3f}")
flat = 1 / words.shape[1]
axes.axhline(flat, color="0.4", linestyle="--", label="all alike, and adding up to the logit")
axes.set(xlabel="symbols before the end of the word", ylabel="|relevance| / |logit|, median")
axes.legend(fontsize=8)
axes.grid(alpha=0.3)

# %% [markdown]
# ## Why
#
# The state is $h_t = \tanh(z_t)$ with $z_t = W x_t + U h_{t-1} + b$. On the way back from the last symbol to symbol $t$
# each method multiplies once per step:
#
# $$\text{Gradient × Input:} \quad \prod_{s > t} U\, \mathrm{diag}(1 - h_s^2)
# \qquad\qquad
# \text{LRP-ε:} \quad \prod_{s > t} \frac{h_{s-1}\, U}{z_s + \varepsilon\, \mathrm{sign}(z_s)}$$
#
# - **The gradient has the slope** $1 - h^2$ in it. At $|h| = 0.95$ it is 0.1, at 0.99 it is 0.02: multiplied ten times,
#   nothing is left. The gradient is not mistaken. It answers its own question: *what if the symbol were a tiny bit less
#   of an `a`?* Then nothing would happen, for a network that rounds. The question is the wrong one.
# - **LRP has shares** in it, which do not know slopes. But $z$ is a sum of large parts of *both signs*: the parts that
#   pull up get more than there is, those that pull down a negative share. Each step multiplies this: sizes can grow
#   while the sum stays what it was. And the biases, which are there at every step, take their share each time, so that
#   little can be left. Which of the two wins is a matter of the weights, not of the word.
#
# The budget shows where it goes, word by word exactly: symbols, biases and ε add up to the logit.

# %%
budget = relevance.lrp_budget(network, words)
parts = {"symbols": budget.symbols, "biases": budget.biases, "ε": budget.stabiliser}
print(f"{'':9} {'sum / logit, median':>20} {'sum of sizes / logit, median':>30}")
for name, values in parts.items():
    print(f"{name:9} {np.median(values.sum(axis=1) / logits):20.3f} "
          f"{np.median(np.abs(values).sum(axis=1) / np.abs(logits)):30.2f}")  # fmt: skip
total = sum(values.sum(axis=1) for values in parts.values())
print(f"all three together are the logit, up to {np.abs(total - logits).max():.0e}")

# %% [markdown]
# More goes to the biases than to the symbols. A bias is the same for all words, so that it cannot be the reason why
# *this* word was accepted.
#
# Could another ε save LRP? It damps the small $z$ and with them the growth. Turn it up until the map fades instead:

# %%
print(f"{'ε':>6}  |relevance| / |logit| from the last symbol (left) to the first")
for e in (1e-3, 0.1, 1.0, 3.0):
    sizes = np.abs(relevance.lrp(network, words, epsilon=e)) / np.abs(logits)[:, None]
    print(f"{e:6}  ", *(f"{share:8.4f}" for share in np.median(sizes, axis=0)[::-1][:9]))

# %% [markdown]
# From up and down to nothing. No ε makes the row flat, and if one did, nothing but the truth would have told you which.

# %%
quick(
    "In this network Gradient × Input of the first symbol is 0 to six decimals. What follows?",
    wrong("The first symbol does not matter", "Changing it turns the answer, in all of the words."),
    right(
        "A tiny change of the first symbol does not matter",
        "That is what a derivative says. Symbols do not change by tiny amounts.",
    ),
    wrong("The network has forgotten it", "It has not: its state at the end depends on it."),
)

# %% [markdown]
# ## Not one network: many
#
# One network may be an accident. Here are four networks trained live for parity (an even number of `a`) without noise
# and four with it, none of them chosen. In parity every symbol is decisive in *every* word.

# %%
parity = PARITY.automaton
even = draw_words(parity, 300, 12, seed=6)
trainings = {
    "no noise": Recipe(noise=0.0, l1=0.0),
    "noise and L1": Recipe(kind="multiplicative", noise=1.0),
}
methods = {"Gradient × Input": relevance.gradient_x_input, "LRP-ε": relevance.lrp}
figure, panels = plt.subplots(1, 2, figsize=(9, 3.4), sharex=True, layout="constrained")
for (training, recipe), colour in zip(trainings.items(), ("#e69f00", "#009e73"), strict=True):
    trained = train(parity, recipe, restarts=4, seed=0)
    states = [one.states(even) for one in trained]
    correct = [one.accuracy(parity, even) for one in trained]
    discrete = np.mean([saturation(each[:, 1:]) for each in states])
    print(f"{training:13} accuracy from {min(correct):.3f}, saturated {discrete:.0%}")
    for number, (one, each) in enumerate(zip(trained, states, strict=True)):
        size = np.abs(one.logits(each[:, -1]))[:, None]
        for panel, (name, method) in zip(panels, methods.items(), strict=True):
            share = np.median(np.abs(method(one, even)) / size, axis=0)[::-1]
            panel.semilogy(share, color=colour, alpha=0.8, label=training if number == 0 else None)
            panel.set(title=name, xlabel="symbols before the end")
for panel in panels:
    panel.axhline(1 / even.shape[1], color="0.4", linestyle="--", label="all alike")
    panel.grid(alpha=0.3)
panels[0].set_ylabel("|relevance| / |logit|, median")
_ = panels[0].legend(fontsize=8)

# %% [markdown]
# The more discrete the networks, the faster the gradient fades: **the easier a network is to understand as a whole, the
# less its gradient says**. LRP fades in one network and grows beyond all measure in the next, though all of them do the
# same.
#
# ## Where not all symbols matter alike
#
# Perhaps parity is unfair: a map that is flat has nothing to show. So take languages in which *some* symbols decide and
# others do not. The score: how often is a decisive symbol ranked above one that is not? 1 is perfect, 0.5 is a coin.


# %%
def ranks_decisive(values, decides):
    """How often decisive symbols have larger values than others, in words that have both."""
    scores = []
    for row, truly in zip(np.abs(values), decides, strict=True):
        above, below = row[truly][:, None], row[~truly]
        if above.size and below.size:
            scores.append(np.mean((above > below) + 0.5 * (above == below)))
    return np.mean(scores)


samples = [("Tomita 4", True), ("Tomita 4", False), ("Tomita 6", False), ("Tomita 7", True)]
print(f"{'':19} {'training':9} {'decisive':>8} {'G × I':>7} {'LRP-ε':>7} {'replacing':>10}")
for name, accepted in samples:
    for training in ("plain", "multiplicative"):
        one, machine = trained_network(name, training), LANGUAGES[name].automaton
        sample = draw_words(machine, 300, 12, accepted=accepted, seed=7)
        decides = relevance.decisive(machine, sample)
        scores = [
            ranks_decisive(method(one, sample), decides)
            for method in (relevance.gradient_x_input, relevance.lrp, relevance.replacement)
        ]
        label = f"{name}, {'accepted' if accepted else 'rejected'}"
        kind = "no noise" if training == "plain" else "noise"
        found = f"{scores[0]:7.2f} {scores[1]:7.2f} {scores[2]:10.2f}"
        print(f"{label:19} {kind:9} {decides.mean():8.0%} {found}")

# %% [markdown]
# Mostly a coin, at best somewhat better, with and without noise. *Replacing* a symbol and reading the word again gets
# it right; it is the same experiment as the truth, made on the network. That is the first lesson: **on discrete inputs,
# change something discrete.** It costs one reading per symbol and needs no backward rule.
#
# Here is what the maps look like for words that are rejected by Tomita 4, because `bbb` is in them:

# %%
one, machine = trained_network("Tomita 4"), TOMITA[4].automaton
rejected = draw_words(machine, 12, 12, accepted=False, seed=8)
show_relevance_strips(
    rejected,
    "ab",
    {
        "decisive in truth": relevance.decisive(machine, rejected),
        "replacing": relevance.replacement(one, rejected),
        "Gradient × Input": relevance.gradient_x_input(one, rejected),
        "LRP-ε": relevance.lrp(one, rejected),
    },
)

# %% [markdown]
# Look for white rows on the left. There the word has `bbb` twice, or four `b` in a row: *no single* symbol is decisive,
# since each reason alone is enough. And the replacement map of such a row shows nothing but crumbs, blown up to a
# scale of their own. Any map made of single changes is blind to a reason that exists twice.
#
# ## What no map of a word can say
#
# Shapley values consider not only single changes but all coalitions. Do they help? Let the players be the symbols of an
# accepted word of parity; a player who is absent has its symbol swapped. The game is worth 1 if the network accepts.

# %%
counter = trained_network("parity")
for length in (7, 8):
    word = draw_words(parity, 1, length, seed=9)[0]

    def worth(coalitions, word=word):
        """Whether the network accepts the coalition's symbols, with swapped ones for others."""
        return counter.accepts(np.where(coalitions, word, 1 - word))[:, -1].astype(float)

    ends = worth(np.array([[True] * length, [False] * length]))
    values = explain.shapley_values(worth, players=length)
    text = "".join("ab"[symbol] for symbol in word)
    print(f"{text}: worth {ends[0]:.0f}, all swapped {ends[1]:.0f}")
    print("   Shapley values", *(f"{value:.3f}" for value in values.round(9) + 0.0))

# %% [markdown]
# All alike, as they should be: here the axioms do their work. But what do they share out? The difference between the
# word and the word with everything swapped. With an odd number of symbols the answers differ, and each symbol gets its
# part; with an even number both are accepted, there is *nothing* to share out, and every symbol of the word gets 0,
# though any of them turns the answer. Where everything hangs together, "what does this symbol add?" has no answer.
#
# Compare what can be asked, and where the answer is:
#
# | question | local map | automaton |
# | --- | --- | --- |
# | which single symbol could turn this word? | replacing: yes; gradients, LRP: no | yes, run it |
# | why is this word rejected, if it has two reasons? | no | yes, the way it took |
# | what has the network in mind after `abba`? | no | yes, the state |
# | is there any word on which it errs? | no | yes, by proof |
# | what will it say to a word of a million symbols? | no | yes, if it does not drift |
# | does it forget an error? | no | yes, see below |

# %%
quick(
    "Maps of a thousand words were all faithful. What does that tell about the next word?",
    right(
        "Nothing for certain",
        "Each map is about its own word. To cover all words you need the rule, not a sum of maps.",
    ),
    wrong("It will be so there, too", "For similar words perhaps. The interesting ones are others."),
    wrong("The mean map explains the network", "The mean of parity's maps is flat, like that of much else."),
)

# %% [markdown]
# ## The automaton predicts: errors that are forgotten, and errors that are not
#
# Push all units of a network by a random amount while it reads a word. Two things can happen.
#
# 1. The push is small: the units snap back to their corner, and all is as before. That is error correction by
#    *saturation*.
# 2. The push is large: the network lands in the corner of **another state**. From then on it behaves as if it had read
#    another word, perfectly, and it has no way of knowing.
#
# What becomes of case 2 is a matter of the automaton alone. A wrong state is forgotten when a symbol leads it and the
# right state to the same place: a reset, or a trap. In a **permutation automaton** each symbol leads different states
# to different states, and so a wrong state stays wrong for ever.

# %%
figure, axes = plt.subplots(figsize=(6.4, 3.5), layout="constrained")
for name in ("Tomita 1", "Tomita 2", "Tomita 4", "Tomita 3", "Tomita 7"):
    axes.plot(forgotten(LANGUAGES[name].automaton, 15), marker="o", markersize=3, label=name)
never = [name for name, each in LANGUAGES.items() if is_permutation(each.automaton)]
curve = forgotten(LANGUAGES[never[0]].automaton, 15)
axes.plot(curve, color="black", linewidth=2.5, label=", ".join(never))
axes.set(xlabel="random symbols since the error", ylabel="errors forgotten", ylim=(-0.03, 1.03))
axes.legend(fontsize=8)
axes.grid(alpha=0.3)

# %% [markdown]
# Those are exact numbers about machines; no network was asked. Now push networks by $N(0, 1)$ in each unit, a push as
# large as the units themselves. Two symbols later we look which state it has settled in, give the automaton that state,
# and let it **predict** how often the network will say the right thing from then on (dashed).

# %%
groups = ["Tomita 1", "Tomita 3", "Tomita 4"], ["Tomita 5", "Tomita 6", "parity"]
titles = "errors can be forgotten", "permutation automata: never"
figure, panels = plt.subplots(1, 2, figsize=(11.5, 3.7), sharey=True, layout="constrained")
for panel, group, title in zip(panels, groups, titles, strict=True):
    measured, predicted = {}, {}
    for name in group:
        machine, one = LANGUAGES[name].automaton, trained_network(name)
        read = training_words(machine, 1000, 40, seed=3)
        pushed = push(one, machine, read, 1.0, seed=4)
        measured[name], predicted[name] = pushed.measured, pushed.predicted
        apart = np.nanmax(np.abs(pushed.measured - pushed.predicted))
        print(f"{name:9} {pushed.wrong:5.1%} in a wrong state, prediction off by at most {apart:.3f}")
    show_recovery(measured, predicted, title=title, axes=panel)
figure

# %% [markdown]
# Dashed and full lines lie on each other. Even the zigzag of Tomita 5 is foretold: at some moments right and wrong
# state give the same answer, which hides the error without mending it. **This is an explanation that predicts**: from
# one look at the state, everything that follows.
#
# Be careful with the reading, though. The left panel does not say that those networks are better built: how often a
# push ends in a wrong state is a matter of the weights; what becomes of it is a matter of the language.

# %%
quick(
    "A network for parity has been pushed into the wrong state. How do you get it right again?",
    wrong("Let it read more symbols", "Each symbol moves both states on, and they never meet."),
    right("Start it again, or push it again", "In the papers `$` leads all states to the start."),
    wrong("Train it with more noise", "Then a push seldom ends in a wrong state. It mends none."),
)

# %% [markdown]
# ## How stable is it?
#
# Three more tests of the same idea, as in the paper on stability (2021): back from random states, noise at test time
# (the multiplicative noise of the papers at 0.6), long words. With noise in training and without:

# %%
print(f"{'':10} {'training':10} {'back':>7} {'steps':>6} {'noise 0.6':>10} {'1,000 symbols':>14}")
for name in ("Tomita 3", "Tomita 5", "parity"):
    machine = LANGUAGES[name].automaton
    test = training_words(machine, 200, 50, seed=10)
    for training in ("plain", "multiplicative"):
        one = trained_network(name, training)
        back = returns(one, test, seed=0)
        noisy = one.accuracy(machine, test, noise=0.6, kind="multiplicative", seed=1)
        far = long_accuracy(one, machine, (1000,), seed=2)[1000]
        kind = "no noise" if training == "plain" else "noise"
        print(f"{name:10} {kind:10} {back.share:7.1%} {back.median:6.0f} {noisy:10.3f} {far:14.4f}")

# %% [markdown]
# "Back" says that the network returned to a state in which it had been seen before, *some* state: whether
# it is the right one is a question that makes no sense after a random start. Noise at test time is a push at every
# symbol, and it is what tells the two trainings apart: networks that have never met noise collect errors. All six were
# accepted only after a test on words three times as long as those of their training, so that their good scores on long
# words are no surprise; lesson 40 has trained some without that choice.
#
# ## What goes wrong in practice
#
# - **A map that looks plausible.** "It looks at the last symbols" sounds like how one reads. Here it was the slope of
#   tanh.
# - **Agreement as evidence.** Two gradient methods fade together. Compare with something that does not differentiate.
# - **Scales of their own.** A row that is coloured by its own maximum always has something dark in it, also where there
#   is nothing. Print the numbers.
# - **One symbol at a time.** Reasons that exist twice, and reasons made of several symbols, are invisible to single
#   changes.
# - **The automaton as an idol.** It explains what the network *computes* as long as its state stays in the corners.
#   Where the network drifts, hovers or was badly read, the automaton is a model like others: test it (lesson 40).
# - **Networks that are no automata.** Most of the world is not a regular language. A network that reads film reviews
#   has no small machine in it; there local maps are what you have. Then test them as in lesson 70 of week 2.
#
# ## What to take away
#
# - In a saturated network gradients vanish and LRP's shares blow up, while every symbol matters. The methods were not
#   badly implemented; they answer other questions.
# - On discrete inputs, replace and read again. It is local and true, and blind to reasons that exist twice.
# - A global explanation can be proved, and it predicts: what the network has in mind, what it will say, which errors it
#   will forget.
# - The more discrete a network, the better it can be understood as a whole, and the less its gradient says.
#
# ### References
#
# - Oliva and Lago-Fernández (2021). Stability of internal states in recurrent neural networks trained on regular
#   languages. arXiv 2006.10828. *Saturation, pushes, random starts, long strings.*
# - Oliva and Lago-Fernández (2019). On the interpretation of recurrent neural networks as finite state machines.
#   doi 10.1007/978-3-030-30487-4_25. *Networks that are automata.*
# - Arras, Montavon, Müller and Samek (2017). Explaining recurrent neural network predictions in sentiment analysis.
#   doi 10.18653/v1/W17-5221. *LRP through a recurrent network.*
# - Bengio, Simard and Frasconi (1994). Learning long-term dependencies with gradient descent is difficult.
#   doi 10.1109/72.279181. *To hold a memory safely, gradients have to vanish.*
# - McNaughton and Papert (1971). Counter-free automata. *Automata that count, and those that do not.*
# - Shapley (1953). A value for n-person games. doi 10.1515/9781400881970-018. *Fair shares of something; it may be 0.*

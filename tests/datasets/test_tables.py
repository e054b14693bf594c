import numpy as np
import pytest

from vitrina_datasets.tables import Column, Table

COLUMNS = (
    Column("length", "how long", "cm"),
    Column("colour", "which colour", categories=("red", "green", "blue")),
    Column("size", "how large", categories=("small", "large"), ordered=True),
)


def make(targets, published_train=None):
    targets = np.array(targets)
    rows = np.arange(len(targets))
    values = np.column_stack([rows + 0.5, rows % 3, rows % 2]).astype(float)
    return Table("toys", COLUMNS, values, targets, ("no", "yes", "perhaps"), published_train)


@pytest.fixture
def table():
    return make([0] * 60 + [1] * 30 + [2] * 10, published_train=70)


def identities(part):
    return set(part.values[:, 0])


def test_a_table_tells_what_is_in_it(table):
    assert len(table) == 100
    assert table.names == ("length", "colour", "size")
    assert table.units == ("cm", "", "")
    assert table.categorical == (1, 2)
    assert table.categories == {1: ("red", "green", "blue"), 2: ("small", "large")}
    assert table.row(4) == {"length": 4.5, "colour": "green", "size": "small"}
    assert table.column("colour")[:4].tolist() == ["red", "green", "blue", "red"]
    assert table.column("length")[1] == 1.5
    frame = table.to_frame()
    assert list(frame.columns) == ["length", "colour", "size", "target"]
    assert frame.iloc[99].tolist() == [99.5, "red", "large", "perhaps"]
    assert repr(table) == "toys: 100 rows, 3 columns, classes no (60), yes (30), perhaps (10)"
    assert "<td>green</td>" in table._repr_html_()


@pytest.mark.parametrize("share", [0.2, 0.25, 0.5])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_split_is_stratified_and_loses_nothing(table, share, seed):
    train, test = table.split(test=share, seed=seed)
    assert identities(train) | identities(test) == identities(table)
    assert not identities(train) & identities(test)
    np.testing.assert_array_equal(np.bincount(test.targets), np.rint([60 * share, 30 * share, 10 * share]))
    for part in (train, test):
        rows = (part.values[:, 0] - 0.5).astype(int)
        np.testing.assert_array_equal(part.targets, table.targets[rows])  # each row keeps its class
        assert np.any(np.diff(rows) < 0)  # in no order


def test_a_split_repeats_itself_and_another_seed_is_another(table):
    np.random.seed(99)
    first, again, other = (table.split(seed=seed)[1].values for seed in (3, 3, 4))
    np.testing.assert_array_equal(first, again)
    assert set(first[:, 0]) != set(other[:, 0])


def test_the_split_never_changes(table):
    assert table.split(seed=0)[1].values[:6, 0].tolist() == [26.5, 86.5, 2.5, 55.5, 75.5, 93.5]


def test_rare_classes_are_on_both_sides_if_they_can():
    train, test = make([0] * 50 + [1] * 2 + [2]).split(test=0.1)
    assert set(train.targets) == {0, 1, 2}
    assert set(test.targets) == {0, 1}


@pytest.mark.parametrize("share", [0, 1, -0.5, 30])
def test_a_share_must_be_one(table, share):
    with pytest.raises(ValueError, match="share of rows to hold out, between 0 and 1"):
        table.split(test=share)


def test_the_publishers_split_is_by_order(table):
    train, test = table.published_split()
    assert (len(train), len(test)) == (70, 30)
    assert identities(train) == {row + 0.5 for row in range(70)}
    for part in (train, table.take(np.arange(5)), table.split()[0]):
        with pytest.raises(ValueError, match="was published without a split"):
            part.published_split()


def test_columns_can_be_left_out(table):
    rest = table.without("colour")
    assert rest.names == ("length", "size")
    assert rest.row(3) == {"length": 3.5, "size": "large"}
    assert len(rest.published_split()[0]) == 70
    with pytest.raises(KeyError, match="toys has no column 'weight', only length, colour, size"):
        table.without("weight")


def test_rows_can_be_taken_by_number_and_by_mask(table):
    assert table.take([5, 2]).values[:, 0].tolist() == [5.5, 2.5]
    assert set(table.take(table.targets == 1).targets) == {1}
    assert len(table.take([])) == 0


def test_a_sample_has_no_row_twice(table):
    drawn = table.sample(40, seed=1)
    assert len(identities(drawn)) == 40
    assert identities(drawn) == identities(table.sample(40, seed=1)) != identities(table.sample(40, seed=2))
    assert len(table.sample(1000)) == 100


def test_what_does_not_fit_is_refused():
    values = np.zeros((2, 3))
    right = {"values": values, "targets": np.array([0, 1])}
    wrong = [
        ({"values": values[:1]}, r"2 targets and 3 columns, but values of shape \(1, 3\)"),
        ({"values": values[:, :2]}, r"but values of shape \(2, 2\)"),
        ({"values": values + np.nan}, "finite"),
        ({"values": values + np.array([0, 3, 0])}, "colour has values without a category"),
        ({"values": values + np.array([0, 0.5, 0])}, "colour has values without a category"),
        ({"targets": np.array([0, 2])}, "targets without a name"),
    ]
    for change, message in wrong:
        with pytest.raises(ValueError, match=message):
            Table("toys", COLUMNS, target_names=("no", "yes"), **(right | change))

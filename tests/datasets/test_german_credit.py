import numpy as np
import pytest

from vitrina_datasets import german_credit
from vitrina_datasets.wheels import DataUnavailableError

LINES = b"""% a remark
@relation german_credit
@attribute checking_status { '<0', '0<=X<200', '>=200', 'no checking'}
@data
'<0',6,'critical/other existing credit',radio/tv,1169,'no known savings','>=7',4,'male single',none,4,'real estate',67,none,own,2,skilled,1,yes,yes,good
'no checking',48,'existing paid',other,5951,'<100','1<=X<4',2,'female div/dep/mar',guarantor,2,car,22,bank,'for free',1,'unskilled resident',2,none,no,bad
"""  # noqa: E501


@pytest.fixture
def wheel(cached_wheel, monkeypatch):
    """Two loans in the place of a thousand."""
    monkeypatch.setattr(german_credit, "WHEEL", cached_wheel({"pysubgroup/data/credit-g.arff": LINES}))


@pytest.mark.usefixtures("wheel")
def test_labels_are_put_right():
    loans = german_credit.load()
    assert loans.targets.tolist() == [1, 0]
    assert loans.target_names == ("bad", "good")
    first, second = loans.row(0), loans.row(1)
    assert (first["duration"], first["amount"], first["age"]) == (6, 1169, 67)
    assert first["status"] == "no checking account"
    assert first["credit_history"] == "all loans at this bank paid back"
    assert first["purpose"] == "furniture or equipment"
    assert first["housing"] == "rents"
    assert first["installment_rate"] == "below 20 %"
    assert first["foreign_worker"] == "no"
    assert second["foreign_worker"] == "yes"
    assert second["purpose"] == "business"
    assert second["people_liable"] == "3 and more"
    assert second["personal_status_sex"] == "woman, not single, or man, single"


@pytest.mark.usefixtures("wheel")
def test_the_published_labels_can_be_had_too():
    published = german_credit.load(coding="statlog")
    first = published.row(0)
    assert first["credit_history"] == "critical/other existing credit"
    assert first["housing"] == "own"
    assert first["installment_rate"] == 4
    assert first["people_liable"] == 1
    assert "installment_rate" not in [published.names[index] for index in published.categorical]
    corrected = german_credit.load()
    np.testing.assert_array_equal(published.targets, corrected.targets)
    np.testing.assert_array_equal(published.column("age"), corrected.column("age"))


def test_both_codings_have_the_same_columns():
    names = [column.name for column in german_credit.COLUMNS]
    assert names == [column.name for column in german_credit.STATLOG_COLUMNS]
    assert len(set(names)) == 20


@pytest.mark.usefixtures("wheel")
def test_an_unknown_coding_is_refused():
    with pytest.raises(ValueError, match="'corrected' or 'statlog', got 'uci'"):
        german_credit.load(coding="uci")  # pyright: ignore[reportArgumentType]


@pytest.mark.usefixtures("no_index")
def test_what_cannot_be_had_is_a_sentence():
    with pytest.raises(DataUnavailableError, match=r"pysubgroup 0\.9\.0 is not in the cache"):
        german_credit.load()


@pytest.fixture
def real(monkeypatch):
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    try:
        return german_credit.load()
    except DataUnavailableError as error:
        pytest.skip(str(error))


def test_the_real_loans_are_those_of_the_data_sheet(real):
    assert np.bincount(real.targets).tolist() == [300, 700]
    assert len(np.unique(np.column_stack([real.values, real.targets]), axis=0)) == 1000
    # Counts as in Groemping's table of the corrected data.
    assert np.sum(real.column("foreign_worker") == "yes") == 37
    assert np.sum(real.column("housing") == "rents") == 713
    assert np.sum(real.column("credit_history") == "no loans, or all paid back") == 530
    assert np.sum(real.column("people_liable") == "0 to 2") == 845
    bad = {
        name: np.mean(real.targets[real.column("credit_history") == name] == 0) for name in real.columns[2].categories
    }
    assert max(bad, key=lambda name: bad[name]) == "late in the past"
    assert min(bad, key=lambda name: bad[name]) == "all loans at this bank paid back"


def test_the_fake_loans_have_the_form_of_the_real_ones(real):
    loans = german_credit.fake()
    assert loans.columns == real.columns
    assert loans.target_names == real.target_names
    assert loans.values.dtype == real.values.dtype
    for name in ("duration", "amount", "age"):
        assert real.column(name).min() <= loans.column(name).min()
        assert loans.column(name).max() <= real.column(name).max()


def test_the_fake_loans_go_bad_by_the_rule():
    loans = german_credit.fake(rows=2000, seed=3)
    good = loans.targets == 1
    assert loans.column("duration")[good].mean() < loans.column("duration")[~good].mean() - 5
    rich = loans.column("status") == "200 DM and more, or salary for a year"
    assert good[rich].mean() > good[~rich].mean() + 0.15
    np.testing.assert_array_equal(loans.values, german_credit.fake(rows=2000, seed=3).values)

"""Only plain data and arrays travel, whatever the bytes claim; nothing in the packages can run code that was sent."""

import ast
import contextlib
import io
import json
import pickle
import tracemalloc
import unicodedata
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from corpus.machines import dfas, words
from vitrina.games import TableGame
from vitrina.membership import TableLanguage
from vitrina.recurrent import ElmanCell
from vitrina.values import (
    SPECS,
    CellSpec,
    GameSpec,
    LanguageSpec,
    ModelSpec,
    Spec,
    ValueFormatError,
    decode,
    encode,
    pack_array,
    plain_text,
    realise,
    unpack_array,
)

ROOT = Path(__file__).parents[2]
PACKAGES = [
    "course/vitrina",
    "datasets/vitrina_datasets",
    "solutions/vitrina_solutions",
    "autograder/vitrina_autograder",
]

DTYPES = st.sampled_from(["?", "i1", "<i8", ">u2", "u8", "f2", "<f4", ">f8", "f8"])
SHAPES = hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4)


@st.composite
def arrays(draw):
    """Arrays of numbers of every kind, NaN and infinity among them, in either memory order."""
    array = draw(hnp.arrays(draw(DTYPES), draw(SHAPES)))
    return np.asfortranarray(array) if draw(st.booleans()) and array.ndim else array


KEYS = st.text(max_size=5).filter(lambda key: not key.startswith("$"))
LEAVES = st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=8) | arrays()
TREES = st.recursive(LEAVES, lambda t: st.lists(t, max_size=4) | st.dictionaries(KEYS, t, max_size=4), max_leaves=12)


def npy(array, **options) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, **options)
    return buffer.getvalue()


def header(text: str, body: bytes = b"") -> bytes:
    """An .npy file with a header of one's own."""
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode("latin1") + body


def described(descr: str, shape: object, body: bytes = b"") -> bytes:
    return header(f"{{'descr': {descr!r}, 'fortran_order': False, 'shape': {shape}, }}\n", body)


def same(left, right) -> bool:
    if isinstance(left, np.ndarray):
        return left.dtype == right.dtype and left.shape == right.shape and left.tobytes() == right.tobytes()
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    if isinstance(left, list):
        return len(left) == len(right) and all(map(same, left, right))
    return type(left) is type(right) and (left == right or left != left)


@given(arrays())
def test_every_array_of_numbers_comes_back_as_it_was(array):
    back = unpack_array(pack_array(array))
    assert same(array, back)
    assert back.flags.writeable


@given(TREES)
def test_every_tree_comes_back_as_it_was(tree):
    listed = []
    coded = encode(tree, listed)
    assert same(tree, decode(coded, listed))


def test_a_strided_view_and_a_model_come_back():
    view = np.arange(24.0).reshape(4, 6)[::2, ::-3]
    listed = []
    back = decode(encode(ModelSpec("dense", {"weights": [view], "bias": True}), listed), listed)
    assert isinstance(back, ModelSpec)
    assert back.builder == "dense"
    np.testing.assert_array_equal(back.options["weights"][0], view)
    assert same(unpack_array(pack_array(view)), view)
    fortran = np.asfortranarray(view)
    assert same(unpack_array(npy(fortran)), fortran)


@pytest.mark.parametrize(
    "array",
    [np.array([{}]), np.array(["text"]), np.array([1j]), np.array([b"x"]), np.zeros(2, "M8[s]"), np.zeros(2, "i4,f8")],
    ids=["object", "text", "complex", "bytes", "dates", "structured"],
)
def test_only_numbers_are_sent_and_received(array):
    with pytest.raises(ValueFormatError):
        pack_array(array)
    with pytest.raises(ValueFormatError):
        unpack_array(npy(array, allow_pickle=True))


class Bomb:
    ran = False

    def __reduce__(self):
        return (setattr, (Bomb, "ran", True))


def test_a_pickle_is_never_opened():
    data = npy(np.array([Bomb()], dtype=object), allow_pickle=True)
    for hostile in (data, pickle.dumps(Bomb()), described("|O", "(1,)", pickle.dumps([Bomb()]))):
        with pytest.raises(ValueFormatError):
            unpack_array(hostile)
    assert not Bomb.ran


@pytest.mark.parametrize(
    "data",
    [
        described("<f8", (10**12,)),
        described("<f8", (10**30, 10**30)),
        described("<f8", (2,), bytes(8)),
        described("<f8", (1,), bytes(16)),
        described("<f8", (-1, -1), bytes(8)),
        described("<f8", (1,) * 65, bytes(8)),
        described("<f8", (0, 10**30)),
        described("<f8", "(1.0,)", bytes(8)),
        described("(2,)f8", (1,), bytes(16)),
        described("|V8", (1,), bytes(8)),
        described("nonsense", (1,), bytes(8)),
        header("__import__('os').abort()\n"),
        header("(" * 5000),
        header("{'descr': '<f8'}\n"),
        b"\x93NUMPY\x03\x00" + bytes(20),
        b"",
    ],
)
def test_a_lying_header_is_refused_and_reserves_no_memory(data):
    tracemalloc.start()
    try:
        with pytest.raises(ValueFormatError):
            unpack_array(data)
        assert tracemalloc.get_traced_memory()[1] < 4 << 20
    finally:
        tracemalloc.stop()


@given(st.binary(max_size=200), st.integers(0, 199), st.integers(0, 255))
def test_no_bytes_raise_anything_else(noise, position, value):
    damaged = bytearray(pack_array(np.arange(6.0).reshape(2, 3)))
    damaged[position % len(damaged)] = value
    for data in (noise, b"\x93NUMPY\x01\x00" + noise, bytes(damaged), bytes(damaged[:position])):
        with contextlib.suppress(ValueFormatError):
            assert unpack_array(data).dtype.kind in "biuf"


@pytest.mark.parametrize(
    "value",
    [object(), {1, 2}, b"bytes", 1j, np.complex128(1), np.longdouble(1), np.datetime64("2020"), print, {"$array": 0}],
    ids=lambda value: type(value).__name__,
)
def test_what_is_not_plain_data_is_not_encoded(value):
    with pytest.raises(ValueFormatError):
        encode({"value": value}, [])


def test_numpy_scalars_travel_as_plain_numbers():
    coded = encode([np.float32(0.5), np.int64(3), np.bool_(True), np.str_("a")], [])
    assert coded == [0.5, 3, True, "a"]
    assert [type(item) for item in coded] == [float, int, bool, str]


@pytest.mark.parametrize(
    "tree",
    [
        {"$array": 1},
        {"$array": -1},
        {"$array": "0"},
        {"$array": None},
        {"$array": [0]},
        {"$pickle": "x"},
        {"a": {"$": 1}},
    ],
    ids=repr,
)
def test_a_malformed_tree_is_refused(tree):
    with pytest.raises(ValueFormatError):
        decode(tree, [np.zeros(1)])


def test_a_game_travels_as_its_table_and_becomes_a_game():
    arrays: list[np.ndarray] = []
    tree = encode({"game": GameSpec(np.array([0.0, 1.0, 2.0, 5.0])), "players": 2}, arrays)
    assert tree == {"game": {"$game": {"worths": {"$array": 0}}}, "players": 2}
    back = decode(tree, [unpack_array(pack_array(array)) for array in arrays])
    np.testing.assert_array_equal(back["game"].worths, [0, 1, 2, 5])
    game = realise(back)["game"]
    assert isinstance(game, TableGame)
    assert game([0, 1]) == 5
    game.worths[3] = 0  # whatever a call does to it, the next one gets another
    assert realise(back)["game"]([0, 1]) == 5


@pytest.mark.parametrize(
    ("tree", "arrays"),
    [
        ({"$game": 5}, []),
        ({"$game": [0, 1]}, []),
        ({"$game": {"$array": 0}}, []),
        ({"$game": {"$array": 0}}, [np.zeros(3)]),
        ({"$game": {"$array": 0}}, [np.zeros((2, 2))]),
        ({"$game": {"$array": 0}}, [np.array([0.0, np.nan])]),
        ({"$game": {"$array": 0}}, [np.zeros(2**20)]),
        ({"$game": {"$game": {"$array": 0}}}, [np.zeros(4)]),
    ],
)
def test_what_is_no_game_is_not_decoded(tree, arrays):
    with pytest.raises(ValueFormatError):
        decode(tree, arrays)


def travelled(value):
    """Send a value, bytes and all, and take it out on the other side."""
    sent: list[np.ndarray] = []
    tree = json.loads(json.dumps(encode({"value": value}, sent)))
    return decode(tree, [unpack_array(pack_array(array)) for array in sent])["value"]


@st.composite
def cells(draw):
    """Cells of any sizes, their numbers in single or double precision or whole."""
    symbols, units = draw(st.integers(1, 3)), draw(st.integers(1, 4))
    shapes = {"W": (symbols, units), "U": (units, units), "b": (units,), "v": (units,)}
    drawn = {name: draw(hnp.arrays(draw(st.sampled_from(["f8", "f4", "i4"])), shape)) for name, shape in shapes.items()}
    finite = {name: np.nan_to_num(array) for name, array in drawn.items()}
    return CellSpec(**finite, c=draw(st.floats(allow_nan=False, allow_infinity=False)))


@given(cells())
def test_a_cell_travels_as_its_parameters(spec):
    back = travelled(spec)
    assert isinstance(back, CellSpec)
    cell = realise({"cell": back})["cell"]
    assert isinstance(cell, ElmanCell)
    for name in "WUbv":
        np.testing.assert_array_equal(getattr(cell, name), getattr(spec, name).astype(float))
    assert cell.c == spec.c
    cell.W[:] = 7  # whatever a call does to it, the next one gets another
    np.testing.assert_array_equal(realise({"cell": back})["cell"].W, spec.W.astype(float))


@given(dfas(), st.booleans())
def test_a_language_travels_as_a_table_and_can_be_asked(automaton, small):
    table = automaton.transitions.astype("i1" if small else "i8")
    back = travelled([LanguageSpec(table, automaton.outputs, automaton.start)])[0]
    assert isinstance(back, LanguageSpec)
    language = realise({"language": back})["language"]
    assert isinstance(language, TableLanguage)
    assert all(language(word) == automaton.accepts(word) for word in words(5))


def test_every_spec_is_registered_under_a_mark_of_its_own():
    assert all(spec.mark == mark and mark.startswith("$") for mark, spec in SPECS.items())
    assert set(SPECS.values()) == set(Spec.__subclasses__())


CELL = {"W": {"$array": 0}, "U": {"$array": 1}, "b": {"$array": 2}, "v": {"$array": 2}, "c": 0.5}
CELL_ARRAYS = [np.ones((2, 3)), np.ones((3, 3)), np.ones(3)]


@pytest.mark.parametrize(
    "fields",
    [
        {**CELL, "d": 1},
        {name: part for name, part in CELL.items() if name != "c"},
        {**CELL, "c": None},
        {**CELL, "c": "0"},
        {**CELL, "c": {"$array": 2}},
        {**CELL, "c": 10**400},
        {**CELL, "c": [[[]]]},
        {**CELL, "W": {"$array": 2}},
        {**CELL, "U": {"$array": 0}},
        {**CELL, "b": [1.0, 2.0, "x"]},
        {**CELL, "b": [1.0, [2.0]]},
        {**CELL, "v": {"$cell": CELL}},
        {**CELL, "v": {"a": 1}},
        {"self": 1},
        {},
        [1, 2],
        {"$array": 0},
        None,
    ],
    ids=range(18),
)
def test_what_is_no_cell_is_not_decoded(fields):
    decode({"$cell": CELL}, CELL_ARRAYS)
    with pytest.raises(ValueFormatError):
        decode({"$cell": fields}, CELL_ARRAYS)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_cell_s_numbers_are_finite(bad):
    with pytest.raises(ValueFormatError, match="NaN or infinite"):
        decode({"$cell": CELL}, [np.full((2, 3), bad), *CELL_ARRAYS[1:]])


@pytest.mark.parametrize(
    ("transitions", "accepting", "start"),
    [
        ([[2, 0], [0, 1]], [True, False], 0),
        ([[-1, 0], [0, 1]], [True, False], 0),
        ([[0.5, 0], [0, 1]], [True, False], 0),
        ([[np.nan, 0], [0, 1]], [True, False], 0),
        ([[1e300, 0], [0, 1]], [True, False], 0),
        (np.zeros((1, 27), int), [True], 0),
        (np.zeros((0, 2)), np.zeros(0), 0),
        ([0, 1], [True, False], 0),
        ([[1, 0], [0, 1]], [True], 0),
        ([[1, 0], [0, 1]], [0, 2], 0),
        ([[1, 0], [0, 1]], [True, False], 2),
        ([[1, 0], [0, 1]], [True, False], -1),
        ([[1, 0], [0, 1]], [True, False], 0.5),
        ([[1, 0], [0, 1]], [True, False], None),
        ([[1, 0], [0, 1]], [True, False], "0"),
        ([[1, 0], [0, 1]], [True, False], []),
    ],
)
def test_what_is_no_language_is_not_decoded(transitions, accepting, start):
    arrays = [np.asarray(transitions), np.asarray(accepting)]
    fields = {"transitions": {"$array": 0}, "accepting": {"$array": 1}, "start": start}
    with pytest.raises(ValueFormatError):
        decode({"$language": fields}, arrays)


MARKS = [*SPECS, "$array", "W", "U", "b", "v", "c", "worths", "transitions", "accepting", "start", "builder", "options"]
PLAIN = st.none() | st.booleans() | st.integers(-2, 2**70) | st.floats() | st.text(max_size=3)
HOSTILE = st.recursive(
    PLAIN, lambda t: st.lists(t, max_size=3) | st.dictionaries(st.sampled_from(MARKS), t, max_size=5), max_leaves=12
)


@given(HOSTILE, st.sampled_from(list(SPECS)), st.lists(arrays(), max_size=3))
def test_no_tree_raises_anything_else(tree, mark, listed):
    for hostile in (tree, {mark: tree}):
        with contextlib.suppress(ValueFormatError), warnings.catch_warnings():
            warnings.simplefilter("error")
            decode(hostile, listed)


@pytest.mark.parametrize(
    "wrap", [lambda t: [t], lambda t: {"a": t}, lambda t: {"$model": {"builder": "m", "options": {"a": t}}}]
)
def test_deep_nesting_is_refused(wrap):
    tree = shallow = 0
    for _level in range(500):
        tree = wrap(tree)
    for _level in range(6):  # a model is three levels
        shallow = wrap(shallow)
    decode(shallow, [])
    with pytest.raises(ValueFormatError):
        decode(tree, [])


def test_a_call_gets_copies():
    array = np.zeros(3)
    arguments = {"x": array, "n": 2}
    realise(arguments)["x"][0] = 1
    assert array[0] == 0
    assert realise(arguments)["n"] == 2


@given(st.text(st.characters(), max_size=20))
def test_text_of_others_fits_every_file(text):
    plain = plain_text(text + "\ud800", 30)
    plain.encode("utf-8")
    assert len(plain) <= 30
    assert not any(unicodedata.category(c) == "Cc" for c in plain if c not in "\t\n")
    for before, after in zip(text, plain, strict=False):
        assert after == before or (unicodedata.category(before) in ("Cc", "Cs", "Cf", "Zl", "Zp") and after in "�?")
    assert plain_text("abcdef", 3) == "abc"


#: Its reader of old PyTorch files refuses every name but three: see tests/datasets/test_torch_files.py.
HARMLESS = {"datasets/vitrina_datasets/torch_files.py": ["pickle"]}
DANGEROUS_MODULES = {"pickle", "cPickle", "dill", "cloudpickle", "marshal", "shelve", "joblib", "jsonpickle"}


def dangers(source: str) -> list[str]:
    """Imports of modules that run what they read, and calls of `eval` and `exec`."""
    found = []
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names=names):
                found += [item.name for item in names if item.name.split(".")[0] in DANGEROUS_MODULES]
            case ast.ImportFrom(module=str(module)) if module.split(".")[0] in DANGEROUS_MODULES:
                found.append(module)
            case ast.Name(id="eval" | "exec" | "__import__" as name):
                found.append(name)
            case ast.keyword(arg="allow_pickle", value=value) if not isinstance(value, ast.Constant) or value.value:
                found.append("allow_pickle")
    return found


@pytest.mark.parametrize("package", PACKAGES)
def test_no_package_can_run_what_it_reads(package):
    modules = sorted((ROOT / package).rglob("*.py"))
    assert modules
    found = {path.relative_to(ROOT).as_posix(): dangers(path.read_text(encoding="utf-8")) for path in modules}
    assert {path: names for path, names in found.items() if names and names != HARMLESS.get(path)} == {}


@pytest.mark.parametrize(
    "source", ["import pickle", "from dill import loads", "eval('1')", "np.load(p, allow_pickle=True)", "f = exec"]
)
def test_the_search_for_dangers_finds_them(source):
    assert dangers(source)

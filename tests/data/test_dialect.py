"""The dialect of a text: separator, comments, numbers and header are recognised, or both readings are named."""

import pytest

from sweep.config.data_section import DataConfig
from sweep.config.errors import DataError
from sweep.data.readers.text import read_text


@pytest.fixture
def read(tmp_path):
    def table_of(text, written="utf-8", **keys):
        path = tmp_path / "my.csv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode(written))
        return read_text(path, DataConfig(path="my.csv", **keys))

    return table_of


def facts(table):
    return {fact.name: (fact.text, fact.key, fact.guessed) for fact in table.facts}


def cells(table):
    return table.frame.to_numpy().tolist()


SEMICOLON = ("semicolon", 'separator = ";"', False)
COMMA = ("comma", 'decimal = ","', False)


@pytest.mark.parametrize(
    ("mark", "word", "key"),
    [
        (";", "semicolon", 'separator = ";"'),
        ("\t", "tab", r'separator = "\t"'),
        ("|", "vertical bar", 'separator = "|"'),
        (" ", "blanks", 'separator = " "'),
        ("   ", "blanks", 'separator = " "'),
    ],
)
def test_separators(read, mark, word, key):
    table = read(f"ds{mark}y\n2024-01-01{mark}1.5\n2024-01-02{mark}2.5\n")
    assert cells(table) == [["2024-01-01", "1.5"], ["2024-01-02", "2.5"]]
    assert facts(table) == {"separator": (word, key, False)}


@pytest.mark.parametrize(
    ("text", "columns", "row"),
    [
        ("ds,y\n2024-01-01 00:00,1.5\n2024-01-01 01:00,2.5\n", ["ds", "y"], ["2024-01-01 00:00", "1.5"]),
        ("ds;y\n01.01.2024 00:00;1,5\n01.01.2024 01:00;2,5\n", ["ds", "y"], ["01.01.2024 00:00", "1,5"]),
        ("2024-01-01 00:00\t1.5\n2024-01-01 01:00\t2.5\n", ["x0", "x1"], ["2024-01-01 00:00", "1.5"]),
        ("1,5;2,5\n3,5;4,5\n", ["x0", "x1"], ["1,5", "2,5"]),
        ("A;1,5\nB;2,5\n", ["x0", "x1"], ["A", "1,5"]),
        ("1,5 2,5\n3,5 4,5\n", ["x0", "x1"], ["1,5", "2,5"]),
        ("1,234 567,5\n3,234 467,5\n", ["x0", "x1"], ["1,234", "567,5"]),
        ('name;y\n"a;b";1\n"c;d";2\n', ["name", "y"], ["a;b", "1"]),
        ("name;y\nSmith, J;1\nMoe, K;2\n", ["name", "y"], ["Smith, J", "1"]),
        ("a b,y\nx 1,5\nz 2,7\n", ["a b", "y"], ["x 1", "5"]),
        ("a\tb\tc\n1\t\t3\n\t5\t6\n", ["a", "b", "c"], ["1", "", "3"]),
        ("time temp\n1 234\n2 345\n", ["time", "temp"], ["1", "234"]),
        ("  t   y \n  1   2.5 \n  2  \t3.5\n", ["t", "y"], ["1", "2.5"]),
        ("y\n2024-01-01 00:00\n2024-01-01 01:00\n", ["y"], ["2024-01-01 00:00"]),
        ("y\n1 234\n950\n", ["y"], ["1 234"]),
        ("y\n2 234\n1 950\n", ["y"], ["2 234"]),
        (' "y 0"\n0 100\n', ["", "y 0"], ["0", "100"]),
        (' "y 0"\n0 0\n1 100\n2 100\n', ["", "y 0"], ["0", "0"]),
        (
            "\tf 0\tt 1\tt2\tf3\n0\t0.0\ta\ta a\t0.0\n",
            ["", "f 0", "t 1", "t2", "f3"],
            ["0", "0.0", "a", "a a", "0.0"],
        ),
        ("y\n1\n2\n", ["y"], ["1"]),
        ("y\n1,5\n2,7\n2,9\n", ["y"], ["1,5"]),
        ("y\n3,5\n2,7\n", ["y"], ["3,5"]),
        ("y\n1,5\n2,05\n", ["y"], ["1,5"]),
        ("y\n1,5\n2\n3,7\n", ["y"], ["1,5"]),
        ("0,0\n1,0000000000000002e+16\n", ["y"], ["0,0"]),
        ('"y"\n"1",5\n"2",7\n', ["", "y"], ["1", "5"]),  # names of rows by R
        ('"a" "b"\n"1" 0.5 "x y"\n"2" 0.25 "z"\n', ["", "a", "b"], ["1", "0.5", "x y"]),
        ("sep=;\na;b\n1;2,5\n", ["a", "b"], ["1", "2,5"]),
        ('"sep=;"\r\na;b\r\n1;2,5\r\n', ["a", "b"], ["1", "2,5"]),
    ],
)
def test_what_separates_the_cells(read, text, columns, row):
    table = read(text)
    assert list(table.frame.columns) == columns and cells(table)[0] == row


def test_the_line_for_a_spreadsheet_counts(read):
    assert read("sep=;\na;b\n\n1;2,5\n").lines.tolist() == [4]


def test_tabs_alone_are_a_row_between_tabs_and_blank_otherwise(read):
    assert cells(read("a\tb\n1\t2\n\t\n3\t4\n")) == [["1", "2"], ["", ""], ["3", "4"]]
    assert cells(read("a,b\n1,2\n\t\n3,4\n")) == [["1", "2"], ["3", "4"]]


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("y\n1,5\n2,5\n3,7\n", ({"decimal": ","}, {"separator": ","})),
        ("y\n1 100\n2 150\n", ({"thousands": " "}, {"separator": " "})),
        ("1,0\n2,7\n3,1\n", ({"decimal": ","}, {"separator": ",", "header": False})),
        ("1,5\n2,7\n3,1\n", ({"decimal": ","}, {"separator": ",", "header": False})),
        ("a a 0,0\na a 1,5\n", ({"separator": " "}, {"separator": ",", "header": False})),
        ("t;y\n0;1,234\n1;2,345\n", ({"decimal": ","}, {"thousands": ","})),
        ("t;y\n0;1.234\n1;2.345\n", ({"decimal": "."}, {"thousands": "."})),
        ("t\ty\n0\t1,234\n1\t950\n", ({"decimal": ","}, {"thousands": ","})),
        ("t;y\n1,234;1.234\n", ({"decimal": ","}, {"decimal": "."})),
        ("t;y\n1,5;1.5\n", ({"decimal": ","}, {"decimal": "."})),
        ("0,1,2\n1,5,7\n", ({"header": True}, {"header": False})),
        ("A,7\nB,6\n", ({"header": True}, {"header": False})),
        (",7\n5,6\n,8\n", ({"header": True}, {"header": False})),
    ],
)
def test_two_readings_are_refused_and_both_settings_settle_it(read, text, keys):
    with pytest.raises(DataError, match="set data") as caught:
        read(text)
    for key, value in ((key, value) for one in keys for key, value in one.items() if len(one) == 1):
        assert (
            f"data.{key} = {str(value).lower() if isinstance(value, bool) else f'{chr(34)}{value}{chr(34)}'}"
            in str(caught.value)
        )
    one, other = (read(text, **settings) for settings in keys)
    assert not any(fact.guessed and fact.key.split(" = ")[0] in keys[0] for fact in one.facts)
    assert (one.decimal, one.thousands, list(one.frame.columns), cells(one)) != (
        other.decimal,
        other.thousands,
        list(other.frame.columns),
        cells(other),
    )


def test_names_with_a_cell_less_between_commas_can_come_from_decimal_commas(read):
    text = "t,y\n0,1,5\n1,2,5\n"
    with pytest.raises(DataError, match=r'rows have 3 cells, but there are 2 names: .* data.separator = ","'):
        read(text)
    assert list(read(text, separator=",").frame.columns) == ["", "t", "y"]
    assert list(read("t,y\nr0,1,5\nr1,2,5\n").frame.columns) == ["", "t", "y"]


@pytest.mark.parametrize(
    ("values", "decimal", "thousands", "guessed"),
    [
        (["1,5", "2"], ",", "", set()),
        (["0,123", "1,234"], ",", "", set()),
        (["1234,567", "1,234"], ",", "", set()),
        (["1,234e5", "1,234"], ",", "", set()),
        (["1.234,56", "2"], ",", ".", set()),
        (["1.234.567", "2"], ",", ".", set()),
        (["1.234.567", "1,234"], ",", ".", set()),
        (["1,234,567", "2"], ".", ",", set()),
        (["1,234.5", "2"], ".", ",", set()),
        (["1,234.567", "2,345"], ".", ",", set()),
        (["1 234,5", "2"], ",", " ", set()),
        (["1 234 567", "1,234"], ",", " ", set()),
        (["1\u202f234", "2"], ".", " ", set()),
        (["1'234.5", "2"], ".", "'", set()),
        (["1\u2019234", "1,234"], ",", "'", set()),
        (["1.5", "1,234"], ".", ",", {"thousands"}),
        (["1,5", "1.234"], ",", ".", {"thousands"}),
        (["1,5", "2,5", "1.5"], ",", "", {"decimal"}),  # then 1.5 is a problem of its column
        (["1.5", "2.5", "1,5"], ".", "", {"decimal"}),
        (["1.5", "2"], ".", "", set()),
        (["1.234", "0.5"], ".", "", set()),
        (["-0.123", "1.234"], ".", "", set()),
        (["a,b", "1,234,5"], ".", "", set()),
    ],
)
def test_notation_of_numbers(read, values, decimal, thousands, guessed):
    table = read("\n".join(["t;y", *(f"{n};{value}" for n, value in enumerate(values))]))
    assert (table.decimal, table.thousands) == (decimal, thousands)
    assert {fact.name for fact in table.facts if fact.guessed} == guessed
    assert ("thousands" in facts(table)) == bool(thousands)
    assert ("decimal" in facts(table)) == (decimal == "," or "decimal" in guessed)


def test_groups_of_digits_between_commas_are_a_guess(read):
    table = read('t,y\n1,"12,000"\n2,"950"\n')
    assert facts(table) == {"thousands": ("comma", 'thousands = ","', True)}
    assert read('t,y\n1,"12,000"\n2,"9,5"\n').decimal == ","
    assert facts(read('t,y\n1,"12,000"\n2,"950"\n', decimal=",")) == {"decimal": COMMA}


def test_a_point_with_three_digits_is_ambiguous_between_semicolons_only(read):
    assert read("t,y\n1,1.234\n2,2.345\n").decimal == "."
    assert read("t\ty\n1\t1.234\n2\t2.345\n").facts[0].name == "separator"


def test_evidence_far_from_the_beginning_counts(read):
    rows = [f"{n};1,{n % 800 + 100}" for n in range(3000)]
    with pytest.raises(DataError, match=r"'1,100' in column 'y' can have a decimal mark"):
        read("\n".join(["t;y", *rows]))
    assert read("\n".join(["t;y", *rows, "9;1,5"])).decimal == ","


@pytest.mark.parametrize(
    ("text", "names", "text_of_fact"),
    [
        ("0,1.5,2\n1,5,7\n", ["x0", "x1", "x2"], "none, columns are named x0 to x2"),
        ("1.5\n2.5\n", ["y"], "none, columns are named y"),
        ("512\n498\n", ["y"], "none, columns are named y"),  # a name would be 0, 1 or a year
        ("5,-3\n6,4\n", ["x0", "x1"], "none, columns are named x0 to x1"),
        ("5,5,1\n6,7,1\n", ["x0", "x1", "x2"], "none, columns are named x0 to x2"),
        ("2024-01-01,5\n2024-01-02,6\n", ["x0", "x1"], "none, columns are named x0 to x1"),
        ("A,2024-01-01,5\nA,2024-01-02,6\n", ["x0", "x1", "x2"], "none, columns are named x0 to x2"),
        ("a,\na,0.0\n", ["x0", "x1"], "none, columns are named x0 to x1"),
    ],
)
def test_no_header_is_a_guess(read, text, names, text_of_fact):
    table = read(text)
    assert list(table.frame.columns) == names and table.lines[0] == 1
    assert facts(table)["header"] == (text_of_fact, "header = false", True)
    given = read(text, header=False)
    assert cells(given) == cells(table) and facts(given)["header"] == (text_of_fact, "header = false", False)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("time,y\n1,2\n", ["time", "y"]),
        (",y\n0,2\n1,3\n", ["", "y"]),
        ("Unnamed: 0,y\n0,2\n1,3\n", ["", "y"]),
        ("time,2020,2021\n1,2.5,3\n2,2.5,4\n", ["time", "2020", "2021"]),
        ("shop,2024-01-01,2024-01-02\nA,2.5,3\nB,2.5,4\n", ["shop", "2024-01-01", "2024-01-02"]),
        ("name,city\nBob,Rome\n", ["name", "city"]),
    ],
)
def test_headers(read, text, names):
    table = read(text)
    assert list(table.frame.columns) == names and table.lines[0] == 2 and table.facts == ()


def test_default_names_of_pandas_beside_its_counter_are_a_header(read):
    rows = "".join(f"{n},{n / 2},{n}\n" for n in range(12))
    table = read(",0,1\n" + rows)
    assert list(table.frame.columns) == ["", "0", "1"] and facts(table)["header"] == (
        "line 1",
        "header = true",
        True,
    )
    dates = read(",0\n2024-01-01,5\n2024-01-02,6\n")
    assert list(dates.frame.columns) == ["", "0"] and facts(dates)["header"][2]
    with pytest.raises(DataError, match=r"my.csv, line 1: , 0, 1 can be names of columns or values"):
        read(",0,1\n" + rows.replace("\n3,", "\n4,"))


def test_comments_and_blank_lines(read):
    table = read("# x\n% y\n\na,b\n1,2\n  # z\n3,4\n\n5,6\n\n\n")
    assert cells(table) == [["1", "2"], ["3", "4"], ["5", "6"]] and table.lines.tolist() == [5, 7, 9]
    comments = [(fact.text, fact.key, fact.guessed) for fact in table.facts if fact.name == "comments"]
    assert comments == [
        ("2 lines with #, skipped", 'comment = "#"', False),
        ("line 2 with %, skipped", 'comment = "%"', False),
    ]
    assert facts(table)["blank lines"] == ("line 8, skipped", "", False)


def test_a_comment_that_can_be_a_row_is_a_guess(read):
    assert facts(read("a,b\n1,2\n#3,4\n5,6\n"))["comments"] == (
        "line 3 with #, skipped",
        'comment = "#"',
        True,
    )


def test_what_only_looks_like_a_comment(read):
    assert cells(read("id,y\n#1,2\n#2,3\n")) == [["#1", "2"], ["#2", "3"]]
    assert cells(read("v,w\n#N/A,2\n1,2.5\n")) == [["#N/A", "2"], ["1", "2.5"]]
    assert cells(read('v,w\n1,"2\n#x\n\n3"\n4,5\n')) == [["1", "2\n#x\n\n3"], ["4", "5"]]


def test_a_given_comment_mark(read):
    table = read("// made\na,b\n1,2\n//3,4\n#5,6\n", comment="//")
    assert cells(table) == [["1", "2"], ["#5", "6"]]
    assert facts(table)["comments"][:2] == ("2 lines with //, skipped", 'comment = "//"')


def test_names_in_a_comment(read):
    table = read("# made by a logger\n# t u\n0 1.5\n1 2.5\n")
    assert list(table.frame.columns) == ["t", "u"] and table.lines.tolist() == [3, 4]
    assert facts(table)["header"] == ("in the comment of line 2", "header = false", True)
    assert list(read("# t u\n0 1.5\n1 2.5\n", header=False).frame.columns) == ["x0", "x1"]
    assert list(read("# made\n0 1.5\n1 2.5\n").frame.columns) == ["x0", "x1"]
    assert list(read("# t,u\na,b\n1,2\n").frame.columns) == ["a", "b"]


@pytest.mark.parametrize(
    ("encoding", "fact"),
    [
        ("utf-8", None),
        ("utf-8-sig", None),
        ("utf-16", ("UTF-16", 'encoding = "utf-16"', False)),
        ("utf-16-le", ("UTF-16", 'encoding = "utf-16-le"', False)),
        ("utf-16-be", ("UTF-16", 'encoding = "utf-16-be"', False)),
        ("utf-32", ("UTF-32", 'encoding = "utf-32"', False)),
        ("latin-1", ("Windows-1252", 'encoding = "cp1252"', True)),
        ("cp1252", ("Windows-1252", 'encoding = "cp1252"', True)),
    ],
)
def test_encodings(read, encoding, fact):
    table = read("t,höhe\n1,2\n3,4\n", encoding)
    assert list(table.frame.columns) == ["t", "höhe"] and facts(table).get("encoding") == fact
    given = read("t,höhe\n1,2\n3,4\n", encoding, encoding=encoding)
    assert list(given.frame.columns) == ["t", "höhe"] and not any(fact.guessed for fact in given.facts)


def test_a_byte_order_mark_is_no_part_of_the_text(read):
    for encoding in ("", "utf-8", "utf-8-sig"):
        table = read("# made\nt,y\n1,2\n3,4\n", "utf-8-sig", encoding=encoding)
        assert list(table.frame.columns) == ["t", "y"] and list(facts(table)) == ["comments"]


def test_bytes_that_windows_does_not_define_are_latin_1(read):
    assert facts(read(b"t,a\x81\xe9\n1,2\n"))["encoding"] == ("Latin-1", 'encoding = "latin-1"', True)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"encoding": "klingon"}, r'data.encoding = "klingon": unknown'),
        ({"encoding": "base64"}, r'data.encoding = "base64": unknown'),
        ({"encoding": "ascii"}, r"my.csv: not text of the encoding ascii"),
        ({"separator": "ab"}, r'data.separator = "ab": wanted one mark'),
        ({"separator": "1"}, r'data.separator = "1": wanted one mark'),
        ({"separator": "§"}, r"data.separator = .*: wanted one mark"),
        ({"thousands": "x"}, r'data.thousands = "x": wanted one of'),
        ({"thousands": ",", "decimal": ","}, r'data.thousands = ",": wanted one of'),
    ],
)
def test_settings_that_are_not_possible(read, settings, message):
    with pytest.raises(DataError, match=message):
        read("t,höhe\n1,2\n3,4\n", **settings)


def test_given_settings_win(read):
    assert cells(read("a;b,c\n1;2,3\n", separator=",")) == [["1;2", "3"]]
    assert cells(read("a:b\n1:2\n", separator=":")) == [["1", "2"]]
    assert facts(read("a:b\n1:2\n", separator=":"))["separator"] == ("':'", 'separator = ":"', False)
    assert cells(read("a,b\n1,2\n", header=False)) == [["a", "b"], ["1", "2"]]
    assert list(read("1.5,2.5\n1,2\n", header=True).frame.columns) == ["1.5", "2.5"]
    assert read("t;y\n1;1,5\n", decimal=".").decimal == "."

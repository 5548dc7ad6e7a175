"""The definitions of the tables, against the tables that the chain really writes."""

import pandas as pd
import pytest

import compare_runs
from graft import tables
from graft.reporting.reproduction import table_of
from graft.storage.files import TEXT_COLUMNS, read_table, write_table
from made_runs import made_predictions, write_run

CHAIN = [tables.Manifest, tables.Audit, tables.Split, tables.History, tables.RawPredictions, tables.PooledPredictions]
CHAIN += [tables.Evaluation, tables.PerClass, tables.Significance]


def files_of(results, table):
    """Return the files of a table below a folder of results."""
    pattern = table.path_pattern
    for part, any_name in {"DATASET": "*", "RUN": "*", "foldN": "fold*", "STAGE": "*"}.items():
        pattern = pattern.replace(part, any_name)
    return sorted(results.glob(pattern))


@pytest.mark.parametrize("table", CHAIN, ids=lambda table: table.__name__)
def test_the_chain_writes_the_columns_of_the_definition(built, table):
    found = files_of(built.results, table)
    assert found
    for path in found:
        written = read_table(path)
        table.checked(written)
        for column in table.columns():
            if column.kind == "flag":
                assert set(written[column.name]) <= {0, 1}, column.name
            if column.kind == "integer":
                assert pd.api.types.is_integer_dtype(written[column.name]), column.name


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """Return two compared runs, the second of two seeds, whose settings differ."""
    folder = tmp_path_factory.mktemp("compared")
    runs = [
        write_run(folder, "plain", {"head": made_predictions(logit=True)}),
        *(
            write_run(
                folder, f"tuned-{seed}", {"head": made_predictions(seed=5)}, {"name": "tuned", "recipe": "graft"}, seed
            )
            for seed in (0, 1)
        ),
    ]
    compare_runs.main(
        [
            *("--provenance", *(f"{run}/provenance.json" for run in runs), "--comparison", f"{folder}/comparison.csv"),
            *("--significance", f"{folder}/comparison_significance.csv"),
        ]
    )
    return folder


def test_a_comparison_has_the_columns_of_its_definition_and_one_for_each_setting_that_differs(results):
    table = tables.Comparison.checked(read_table(results / "comparison.csv"))
    assert set(table.columns) - set(tables.Comparison.names()) == {"recipe"}


def test_a_comparison_of_pairs_has_the_columns_of_its_definition(results):
    assert len(tables.ComparisonSignificance.checked(read_table(results / "comparison_significance.csv"))) == 1


def test_a_reproduction_has_the_columns_of_its_definition():
    tables.Reproduction.checked(table_of([("evaluation.csv", True, "")]))


@pytest.mark.parametrize(
    "columns",
    [
        ["path", "label", "fold", "role", "group"],
        ["path", "label", "fold", "role", "group", "inner", "more"],
        ["label", "path", "fold", "role", "group", "inner"],
    ],
    ids=["missing", "added", "exchanged"],
)
def test_a_table_with_other_columns_is_refused(columns):
    with pytest.raises(ValueError, match="Split must have the columns path, label, fold, role, group, inner"):
        tables.Split.checked(pd.DataFrame(columns=columns))


def test_a_column_that_is_there_once_a_class_may_have_any_name():
    names = ["stage", "path", "label", "fold", "role", "group", "chose", "predicted"]
    tables.RawPredictions.checked(pd.DataFrame(columns=[*names, "logit", "probability_NA", "probability_logit x"]))
    with pytest.raises(ValueError, match="Predictions must have"):
        tables.RawPredictions.checked(pd.DataFrame(columns=[*names, "chances_NA"]))


def test_every_file_and_every_column_has_a_meaning():
    for file in tables.files():
        assert file.__doc__
        if issubclass(file, tables.Table):
            for column, definer in file.attributes():
                assert definer.meanings()[column.name].endswith("."), column.name


def test_what_is_text_in_every_table_is_read_as_text(tmp_path):
    write_table(pd.DataFrame({"data_sha256": ["0012345678901234"], "device": [""], "fold": [3]}), tmp_path / "t.csv")
    table = read_table(tmp_path / "t.csv")
    assert table.loc[0].tolist() == ["0012345678901234", "", 3]
    assert "fold" not in TEXT_COLUMNS

"""Submissions: the form is the sample's, every id has its photo, and what does not fit is never written."""

import json
import zipfile

import pandas as pd
import pytest

import write_submission
from graft.config.dataset import Source
from graft.config.submission import Submission
from graft.data.sample_name import check_sample
from graft.errors import UserError
from graft.predicting.submission import check, form_of
from graft.storage.files import write_table

CATS = pd.DataFrame(
    {
        "path": ["test/1.jpg", "test/2.jpg", "test/3.jpg"],
        "predicted": ["cat", "dog", "dog"],
        "calibrated_cat": [0.75, 0.25, 0.4],
        "calibrated_dog": [0.25, 0.75, 0.6],
        "sure": 1,
    }
)
BIRDS = pd.DataFrame(
    {
        "path": ["1.jpg", "2.jpg"],
        "predicted": ["jay", "owl"],
        "calibrated_jay": [0.5, 0.1],
        "calibrated_owl": [0.3, 0.7],
        "calibrated_tit": [0.2, 0.2],
        "sure": 1,
    }
)


@pytest.fixture
def submit(tmp_path):
    """Return a function that writes a submission by a sample, and returns its lines."""

    def run(predictions, sample, **settings):
        (tmp_path / "photos").mkdir(exist_ok=True)
        (tmp_path / "photos" / "sample_submission.csv").write_text(sample)
        write_table(predictions, tmp_path / "unlabelled_predictions.csv")
        output = tmp_path / "submission.csv"
        output.unlink(missing_ok=True)
        arguments = ["--settings", json.dumps(settings), "--predictions", tmp_path / "unlabelled_predictions.csv"]
        arguments += ["--photos", tmp_path / "photos", "--tag", "mine", "--submission", output]
        try:
            write_submission.main(list(map(str, arguments)))
        except UserError:
            assert not output.exists()
            raise
        return output.read_text().splitlines()

    return run


def test_one_column_of_classes_has_the_answers_in_the_order_of_the_sample(submit):
    assert submit(CATS, "id,label\n3,cat\n1,cat\n2,cat\n") == ["id,label", "3,dog", "1,cat", "2,dog"]


def test_one_column_of_fractions_has_the_probability_of_the_second_class_or_of_the_one_that_is_named(submit):
    sample = "id,label\n1.jpg,0.5\n2.jpg,0.5\n3.jpg,0.5\n"
    assert submit(CATS, sample) == ["id,label", "1.jpg,0.25", "2.jpg,0.75", "3.jpg,0.6"]
    assert submit(CATS, sample, positive="cat") == ["id,label", "1.jpg,0.75", "2.jpg,0.25", "3.jpg,0.4"]


def test_a_column_for_each_class_has_the_probabilities_in_the_order_of_the_sample(submit):
    sample = "image,tit,jay,owl\n2,0.3,0.3,0.4\n1,0.3,0.3,0.4\n"
    assert submit(BIRDS, sample) == ["image,tit,jay,owl", "2,0.2,0.1,0.7", "1,0.2,0.5,0.3"]
    assert submit(BIRDS, sample, values="classes") == ["image,tit,jay,owl", "2,0,0,1", "1,0,1,0"]


def test_a_cell_of_several_classes_has_as_many_as_the_sample_s_the_likeliest_first(submit):
    assert submit(BIRDS, "id,birds\n1,jay owl\n2,jay tit\n") == ["id,birds", "1,jay owl", "2,owl tit"]
    assert submit(BIRDS, "id,birds\n1,jay\n2,jay\n", top=3)[1:] == ["1,jay owl tit", "2,owl tit jay"]


def test_a_class_may_have_another_name_there(submit):
    sample = "id,has_dog\n1,0\n2,0\n3,0\n"
    names = {"cat": 0, "dog": "1"}
    with pytest.raises(UserError, match=r"'has_dog' could take classes or probabilities; set submission.values"):
        submit(CATS, sample, names=names)
    assert submit(CATS, sample, names=names, values="classes")[1:] == ["1,0", "2,1", "3,1"]
    assert submit(CATS, sample, names=names, values="probabilities")[1:] == ["1,0.25", "2,0.75", "3,0.6"]


def test_the_column_of_ids_need_not_be_the_first(submit):
    assert submit(CATS, "label,photo\ncat,1\ncat,2\ncat,3\n", id="photo")[1:] == ["cat,1", "dog,2", "dog,3"]


def test_an_id_without_a_photo_is_refused_or_keeps_the_sample_s_value(submit):
    sample = "id,label\n1,0.5\n2,0.5\n3,0.5\n4,0.5\n"
    with pytest.raises(UserError, match=r"1 of the 4 ids of the sample have no photo that was predicted: 4; audit.csv"):
        submit(CATS, sample)
    assert submit(CATS, sample, missing="sample")[1:] == ["1,0.25", "2,0.75", "3,0.6", "4,0.5"]


def test_photos_that_the_sample_does_not_ask_for_are_counted(submit, capsys):
    assert len(submit(CATS, "id,label\n2,cat\n")) == 2
    assert "2 photos that were predicted are not asked for" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("sample", "settings", "sentence"),
    [
        ("id,label\n1,cat\n1,cat\n", {}, "has '1' twice in its column id"),
        ("id,label\n,cat\n", {}, "row 2 of the sample has no id"),
        ("id\n1\n", {}, "has the column 'id' alone"),
        ("id,label\n1,horse\n", {}, "has 'horse', which is no class"),
        ("id,cat,dgo\n1,0.5,0.5\n", {}, "has the column 'dgo', which is no class; did you mean 'dog'"),
        ("id,cat,x\n1,0.5,0.5\n", {"names": {"dog": "y"}}, "has the column 'x', which is no class"),
        ("id,label\n1,cat\n", {"id": "photo"}, "submission.id is 'photo', a column that the sample lacks"),
        ("id,label\n1,cat\n", {"names": {"dgo": "1"}}, "has 'dgo', which is no class; did you mean 'dog'"),
        ("id,label\n1,0.5\n", {"positive": "dgo"}, "submission.positive is 'dgo'; did you mean 'dog'"),
        ("id,label\n1,cat\n", {"top": 2, "names": {"dog": "big dog"}}, "'big dog' has a space"),
    ],
)
def test_a_sample_that_does_not_fit_is_one_sentence(submit, sample, settings, sentence):
    with pytest.raises(UserError) as caught:
        submit(CATS, sample, **settings)
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


def test_one_probability_of_three_classes_needs_the_class(submit):
    with pytest.raises(UserError, match=r"there are 3 classes: set submission.positive"):
        submit(BIRDS, "id,p\n1,0.5\n2,0.5\n", values="probabilities")


def test_an_id_that_may_mean_two_photos_is_refused(submit):
    twice = CATS.assign(path=["a/1.jpg", "b/1.jpg", "b/3.jpg"])
    with pytest.raises(UserError, match=r"the id '1' of the sample could be a/1.jpg, b/1.jpg"):
        submit(twice, "id,label\n1,cat\n3,cat\n")


SAMPLE = pd.DataFrame({"id": ["1", "2"], "cat": ["0.5", "0.5"], "dog": ["0.5", "0.5"]})


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda table: table[["id", "dog", "cat"]], "it has the columns id, dog, cat, the sample id, cat, dog"),
        (lambda table: table[:1], "it has 1 rows, the sample 2"),
        (lambda table: table[::-1], "row 2 has the id '2', the sample '1'"),
        (lambda table: table.assign(cat=["0.5", ""]), "row 3, id '2', lacks a value"),
        (lambda table: table.assign(cat=["nan", "0.5"]), "row 2, id '1', has a value that is no number from 0 to 1"),
        (lambda table: table.assign(cat=["1.5", "0.5"]), "row 2, id '1', has a value that is no number from 0 to 1"),
        (lambda table: table.assign(cat=["0.5", "0.4"]), "row 3, id '2', sums to 0.9, not to 1"),
    ],
)
def test_what_differs_from_the_sample_is_named(change, sentence):
    form = form_of(SAMPLE, ["cat", "dog"], Submission())
    check(SAMPLE, SAMPLE, form)
    with pytest.raises(UserError) as caught:
        check(change(SAMPLE).reset_index(drop=True), SAMPLE, form)
    assert str(caught.value) == sentence


def test_the_sample_may_lie_packed_in_the_archive(tmp_path):
    from graft.data.sample_file import sample_table

    with zipfile.ZipFile(tmp_path / "inner.zip", "w") as inner:
        inner.writestr("sample_submission.csv", "id,label\n007,cat\n")
    with zipfile.ZipFile(tmp_path / "set.zip", "w") as archive:
        archive.writestr("test/1.jpg", b"")
        archive.write(tmp_path / "inner.zip", "sample_submission.csv.zip")
    assert sample_table("sample_submission.csv", tmp_path / "set.zip").to_dict("list") == {
        "id": ["007"],
        "label": ["cat"],
    }
    source = Source(archive=str(tmp_path / "set.zip"))
    check_sample("submission.sample", "sample_submission.csv", source)
    with pytest.raises(UserError, match=r"experiments.a.submission.sample is 'smaple.csv', which is no file here"):
        check_sample("experiments.a.submission.sample", "smaple.csv", source)

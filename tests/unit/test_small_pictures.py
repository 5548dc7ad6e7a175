"""Small pictures on the disk are what was put there, and what a sequence of them would be."""

from graft.data.small_pictures import Chosen, SmallPictures


def test_pictures_come_back_from_the_disk_as_they_were(tmp_path):
    drawn = [bytes([level] * 16) for level in range(5)]
    pictures = SmallPictures(tmp_path, 16)
    assert [pictures.append(one) for one in drawn] == [0, 1, 2, 3, 4]
    assert list(pictures) == drawn
    assert pictures[1:3] == drawn[1:3]
    assert len(pictures) == 5
    assert list(Chosen(pictures, [4, 0])) == [drawn[4], drawn[0]]


def test_no_file_of_theirs_can_be_seen(tmp_path):
    SmallPictures(tmp_path, 16).append(bytes(16))
    assert not list(tmp_path.iterdir())

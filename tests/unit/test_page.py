"""The page: what its server takes and refuses, what it answers, and how it is used in a real browser."""

import http.client
import json
import threading
from pathlib import Path

import pytest
from photo_files import huge_png, photo

import page
from graft.errors import UserError
from graft.page.server import Server

SPACE = "data:image/gif;base64,R0lGODlhAQABAAAAACwAAAAAAQABAAA="
FOUND = {
    **{"label": "urban", "probability": 0.975, "doubt": "", "sure": True, "unlike": False, "distance": 0.1},
    **{"bars": [["urban", 0.975], ["rural", 0.025]], "probabilities": {"rural": 0.025, "urban": 0.975}},
    **{"photo": SPACE, "looked": SPACE},
    "neighbours": [{"path": "a.jpg", "label": "urban", "alike": 0.9, "photo": SPACE}],
}


def answer(path: Path) -> dict:
    content = path.read_bytes()
    if content == b"bad":
        return {"fault": "no readable picture (UnidentifiedImageError)"}
    strange = {"doubt": "unlike the training photos", "unlike": True} if content == b"strange" else {}
    return FOUND | strange


@pytest.fixture
def server():
    about = {"run": "les<son>", "about": "Model of run lesson."}
    served = Server(("127.0.0.1", 0), answer, about, most_bytes=1000)
    thread = threading.Thread(target=served.serve_forever, daemon=True)
    thread.start()
    yield served
    served.shutdown()
    served.server_close()


def ask(server, method: str, path: str, body: bytes | None = None, **headers: str) -> tuple[int, bytes, dict]:
    connection = http.client.HTTPConnection(*server.server_address[:2], timeout=20)
    connection.request(method, path, body, headers)
    response = connection.getresponse()
    return response.status, response.read(), dict(response.headers)


def test_the_page_says_what_run_it_is_and_lets_no_script_in_but_its_own(server):
    status, text, headers = ask(server, "GET", "/")
    assert status == 200
    assert b"<title>Try les&lt;son&gt;</title>" in text
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert b"{nonce}" not in text


def test_a_photo_is_answered(server):
    status, text, _ = ask(server, "POST", "/answer", b"photo")
    assert (status, json.loads(text)) == (200, FOUND)


@pytest.mark.parametrize(
    ("method", "path", "body", "headers", "status"),
    [
        ("GET", "/../../etc/passwd", None, {}, 404),
        ("POST", "/answer", b"x" * 1001, {}, 413),
        ("POST", "/answer", None, {"Content-Length": "-1"}, 400),
        ("POST", "/elsewhere", b"x", {}, 400),
        ("GET", "/", None, {"Host": "evil.example"}, 403),
        ("POST", "/answer", b"x", {"Origin": "http://evil.example"}, 403),
        ("DELETE", "/", None, {}, 501),
    ],
)
def test_what_is_not_meant_is_refused(server, method, path, body, headers, status):
    assert ask(server, method, path, body, **headers)[0] == status
    assert ask(server, "GET", "/")[0] == 200  # and it is still there


def test_it_listens_on_this_machine_alone_unless_told_otherwise():
    assert page.parse_arguments(["--run", "mine"]).host == "127.0.0.1"


def test_a_run_that_is_not_there_is_one_sentence(tmp_path):
    with pytest.raises(UserError, match=r"model.keras does not exist; name the model.keras of a run"):
        page.main(["--run", "no", "--results", str(tmp_path)])


def test_the_run_answers_with_bars_grad_cam_and_training_photos(built, tmp_path):
    from graft.page import answers  # loads the framework

    answerer = answers.Answerer(built.results, "quick")
    try:
        path = next(file for file in built.photos.rglob("*") if file.is_file())
        found = answerer.answer(path)
        assert found["label"] in answerer.facts["classes"]
        assert sum(found["probabilities"].values()) == pytest.approx(1)
        assert found["bars"][0][1] == max(found["probabilities"].values())
        assert found["looked"].startswith("data:image/jpeg;base64,")
        assert len(found["neighbours"]) == 5
        assert all(one["photo"] for one in found["neighbours"])
        assert json.loads(json.dumps(found)) == found
        for name, content in {
            "bomb": huge_png(60_000, 60_000),
            "cut": photo(0, "JPEG")[:200],
            "text": b"hello",
        }.items():
            (tmp_path / name).write_bytes(content)
            assert answerer.answer(tmp_path / name).keys() == {"fault"}
    finally:
        answerer.decoders.close()


# In a browser.


@pytest.fixture
def files(tmp_path):
    for name in ("good", "bad", "strange"):
        (tmp_path / f"{name}.jpg").write_bytes(name.encode())
    (tmp_path / "large.jpg").write_bytes(b"x" * 2000)
    return tmp_path


def address(server) -> str:
    return f"http://127.0.0.1:{server.server_address[1]}/"


@pytest.mark.parametrize("width", [1000, 360])
def test_photos_are_answered_in_a_browser_wide_and_narrow(browser, server, files, width):
    browser.open(address(server), width)
    browser.upload("#files", *(files / f"{name}.jpg" for name in ("good", "bad", "strange", "large")))
    browser.wait("document.getElementById('status').textContent == '4 photos answered'")
    told = browser.run("[...document.querySelectorAll('article')].map(one => one.querySelector('p').textContent)")
    assert told == [
        "This file cannot be read: larger than the 0.001 MB that are taken here.",
        "Unlike the training photos (it would say urban 0.97)",
        "This file cannot be read: no readable picture (UnidentifiedImageError).",
        "urban 0.97",
    ]
    assert browser.run("document.documentElement.scrollWidth <= innerWidth")
    assert browser.run("[...document.images].every(one => one.complete && one.naturalWidth > 0)")
    assert browser.run("tableOf()").splitlines()[1] == "good.jpg,urban,0.975,1,0,0.1,0.025,0.975,"
    assert browser.complaints() == []


def test_a_screen_reader_is_told_the_name_of_everything(browser, server, files):
    browser.open(address(server))
    browser.upload("#files", files / "good.jpg", files / "bad.jpg")
    browser.wait("document.getElementById('status').textContent == '2 photos answered'")
    spoken = browser.spoken()
    for expected in [
        ("button", "Choose photos, or drop them here"),
        ("button", "Take a photo"),
        ("button", "Download the table"),
        ("article", "good.jpg"),
        ("meter", "urban"),
        ("image", "Where the model looked"),
        ("image", "A training photo, labelled urban"),
    ]:
        assert any(role == expected[0] and expected[1] in name for role, name in spoken), (expected, spoken)
    assert all(name for role, name in spoken if role in ("button", "image", "article", "meter"))


def test_the_keyboard_reaches_everything_in_order(browser, server, files):
    browser.open(address(server))
    browser.upload("#files", files / "good.jpg", files / "bad.jpg")
    browser.wait("document.getElementById('status').textContent == '2 photos answered'")
    browser.run("document.activeElement.blur()")
    reached = []
    for _ in range(3):
        browser.press("Tab")
        reached.append(browser.run("document.activeElement.id"))
    assert reached == ["files", "camera", "table"]
    browser.run(
        "globalThis.clicked = 0; document.getElementById('table').addEventListener('click', () => clicked++); 1"
    )
    browser.press("Enter")
    browser.wait("clicked == 1")

"""The report in a real browser: from a file, without a network, wide and narrow; one run, thirty, and 40 classes."""

import pytest

from browser import Browser
from made_report import make_report

WIDTHS = [1280, 400]
# runs, classes, photos
SIZES = {"one run": (1, 3, 60), "thirty runs": (30, 3, 40), "40 classes": (2, 40, 400)}

# What the tests do and see in the page; `tell` is what an evaluation returns.
HELP = """
const pause = () => new Promise(done => setTimeout(done, 10));
const until = async (seen, what) => {
  for (let tries = 0; tries < 500; tries++) { const found = seen(); if (found) return found; await pause(); }
  throw new Error('never seen: ' + what);
};
const content = () => document.querySelector('#app > div > .grow');
const list = () => document.querySelector('#app > div > nav');
const choose = async text => {
  const find = () => [...list().querySelectorAll('ul a')].find(link => link.textContent.trim() === text);
  (await until(find, text)).click(); await pause();
};
const home = async () => { list().querySelector(':scope nav a').click(); await pause(); };
const shown = image => image.complete && image.naturalWidth > 0 && image.getBoundingClientRect().width > 0;
const mayScroll = '.scroll, .p-3:not(.grow), #rulegraph, pre';  // boxes of what is wider than a window
const scrolls = box => box === document.documentElement || /auto|scroll/.test(getComputedStyle(box).overflowX);
const wide = () => [...document.querySelectorAll('*')].filter(box =>
  box.scrollWidth > box.clientWidth + 1 && scrolls(box) && !box.matches(mayScroll));
const small = () => [...document.body.querySelectorAll('*')].filter(one =>
  !one.closest('svg, script, style, #loading-screen') && one.getBoundingClientRect().width > 0
  && [...one.childNodes].some(node => node.nodeType === 3 && node.textContent.trim())
  && parseFloat(getComputedStyle(one).fontSize) < 12).map(one => one.outerHTML.slice(0, 100));
const dead = () => [...document.querySelectorAll('a[href]')].map(link => link.getAttribute('href')).filter(href =>
  !href.startsWith('data:') && !(href.startsWith('#') && (href === '#' || document.getElementById(href.slice(1)))));
"""

# Goes through every entry of the list, opens what it leads to, and returns what is wrong, and what was opened.
WALK = """
const wrong = [], opened = [];
const look = where => {
  wide().forEach(box => wrong.push(where + ': wider than the window: ' + box.outerHTML.slice(0, 60)));
  small().forEach(one => wrong.push(where + ': small text: ' + one));
  dead().forEach(href => wrong.push(where + ': dead link: ' + href));
};
const entries = async where => {
  const choices = [...list().querySelectorAll('fieldset label')];  // Snakemake's switch
  for (const choice of choices.length ? choices : [null]) { choice?.click(); await pause(); await rowsOf(where); }
  const [, about] = list().querySelectorAll('tbody tr')[0].querySelectorAll('a');
  about.click();
  const caption = await until(() => list().querySelector('.prose'), where + ', caption');
  if (caption.textContent.length < 40) wrong.push(where + ': no caption');
  look(where + ', caption');
};
const rowsOf = async where => {
  const rows = await until(() => list().querySelectorAll('tbody tr').length, where);
  for (let number = 0; number < rows; number++) {
    const [view] = list().querySelectorAll('tbody tr')[number].querySelectorAll('a');
    const path = where + ' ' + number;
    if (view.download) {
      const bytes = await (await fetch(view.href)).arrayBuffer();
      if (!bytes.byteLength) wrong.push(path + ': an empty file');
    } else {
      view.click(); await pause();
      await until(() => content().querySelector('iframe') || [...content().querySelectorAll('img')].some(shown), path);
    }
    look(path); opened.push(path);
  }
};
const names = Object.keys(categories).sort();
const chosen = names.length > 6 ? [...names.slice(0, 3), ...names.slice(-2)] : names;
const held = chosen.flatMap(name => Object.values(categories[name]).flat()).length;
for (const category of chosen) {
  const parts = Object.keys(categories[category]);
  for (const part of parts) {
    await home(); await choose(category);
    if (parts.length > 1) await choose(part);
    await entries(category + ' ' + part);
  }
}
for (const [path, result] of Object.entries(results)) {
  if (!result.mime_type.startsWith('image/')) continue;
  const image = new Image();
  image.src = result.data_uri;
  await image.decode().catch(() => wrong.push(path + ': no picture'));
}
for (const page of ['Workflow', 'Statistics']) { await home(); await choose(page); look(page); }
"""


def asked(browser: Browser, script: str, tell: str):
    """Return what the page tells after a script."""
    return browser.run(f"(async () => {{ {HELP} {script}; return {tell}; }})()")


@pytest.fixture(scope="module", params=SIZES)
def report(request, browser, tmp_path_factory):
    return make_report(tmp_path_factory.mktemp("report"), *SIZES[request.param])


@pytest.mark.parametrize("width", WIDTHS)
def test_the_first_page_can_be_read(browser, report, width):
    browser.events.clear()
    browser.open(report.as_uri(), width)
    browser.wait("document.querySelector('.graft-summary') !== null")
    assert asked(browser, "", "wide().map(box => box.outerHTML.slice(0, 100))") == []
    assert asked(browser, "", "small()") == []
    assert asked(browser, "", "dead()") == []
    opened = "[...document.querySelectorAll('.graft-summary details')].forEach(one => { one.open = true; })"
    assert asked(browser, opened + "; await pause()", "[...document.images].filter(one => !shown(one)).length") == 0
    shrunk = "[...document.querySelectorAll('.graft-summary img')].map(one => one.width / one.naturalWidth)"
    assert min(asked(browser, "", shrunk)) > 0.7  # of a size in which its text can be read
    assert browser.requests() <= {report.as_uri()}
    assert browser.complaints() == []


@pytest.mark.parametrize("width", WIDTHS)
def test_every_entry_of_the_list_leads_to_what_it_names(browser, report, width):
    browser.events.clear()
    browser.open(report.as_uri(), width)
    wrong, opened, held = asked(browser, WALK, "[wrong, opened.length, held]")
    assert wrong == []
    assert opened == held
    assert browser.requests() <= {report.as_uri()}
    assert browser.complaints() == []


def test_a_report_holds_a_megabyte_a_run(browser, report):
    runs = len(list((report.parent / "runs").iterdir()))
    assert report.stat().st_size < 4e6 + runs * 1e6  # 3.4 MB of it are Snakemake's own


@pytest.mark.parametrize("width", WIDTHS)
def test_the_list_can_be_put_away_and_fetched_again(browser, report, width):
    browser.open(report.as_uri(), width)
    area = "const area = () => { const box = list().getBoundingClientRect(); return box.width * box.height; }"
    close = "list().querySelector('h1 a').click()"
    assert asked(browser, f"{area}; {close}; await until(() => area() === 0, 'hidden')", "content().clientWidth") > 300
    again = "document.querySelector('#app > div > .fixed a').click()"
    assert asked(browser, f"{area}; {again}; await until(() => area() > 0, 'shown')", "true")

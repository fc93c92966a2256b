"""Holds a crawl's summary to the log of the server that was crawled, and to the files that it serves."""
import json
import re
import sys
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urldefrag, urljoin, urlparse

work, base = Path(sys.argv[1]), sys.argv[2]
www = work / "www"
ALLOWED_INDEX = {"/tutorial/index.html", "/howto/index.html", "/extending/index.html"}


def allowed(path):
    if path in ALLOWED_INDEX:
        return True
    return not path.startswith(("/forbidden/", "/library/", "/c-api/", "/distutils/", "/distributing/")) and not re.fullmatch(r"/.*/index\.html", path)


class Links(HTMLParser):
    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attrs):
        a = dict(attrs)
        rel = (a.get("rel") or "").lower().split()
        if tag in ("a", "area") and a.get("href") and "nofollow" not in rel:
            self.found.append(a["href"])
        if tag == "link" and a.get("href") and ({"next", "prev", "canonical"} & set(rel)):
            self.found.append(a["href"])


def reachable():
    """Walks the files as a browser would: an own count of what there is to fetch."""
    todo, seen = ["/"], {"/"}
    while todo:
        path = todo.pop()
        file = www / (path.lstrip("/") or "index.html")
        if path == "/moved.html":
            found = ["/tutorial/index.html"]
        elif file.is_file() and file.suffix == ".html":
            parser = Links()
            parser.feed(file.read_text("utf-8", "replace"))
            found = parser.found
        else:
            continue
        for href in found:
            u = urlparse(urldefrag(urljoin(base + path, href.strip()))[0])
            if f"{u.scheme}://{u.netloc}" != base or u.path in seen or not allowed(u.path):
                continue
            if re.search(r"\.(png|gif|jpg|svg|zip|gz|bz2|js|css|bin|tar)$", u.path, re.I):
                continue
            seen.add(u.path)
            todo.append(u.path)
    return seen


log = [line.split(" ", 3) for line in (work / "first.log").read_text().splitlines()]
asked = Counter(path for _, _, _, path in log)
summary = json.loads((work / "summary.json").read_text())
again = json.loads((work / "again.json").read_text())
forbidden = [p for p in asked if p != "/robots.txt" and not allowed(p)]
assert not forbidden, f"robots.txt forbids {forbidden[:5]}"
want = reachable()
got = set(asked) - {"/robots.txt"}
assert got == want, f"missed {sorted(want - got)[:5]}, asked beyond {sorted(got - want)[:5]}"
assert summary["pages"] == len(want), (summary["pages"], len(want))
assert summary["queue"] == 0 and summary["ended"] == "done", summary
repeated = sum(n - 1 for p, n in asked.items())
assert repeated <= 60, f"{repeated} requests repeated after kill -9: more than a second's work"
# nginx logs when a request ends; between the end of one and the start of the next lies the delay. Its clock counts milliseconds.
times = sorted((float(at) - float(took), float(at)) for at, took, _, _ in log)
gaps = [round((b[0] - a[1]) * 1000) for a, b in zip(times, times[1:])]
short = [g for g in gaps if g < 48]
assert len(short) <= 1, f"{len(short)} gaps below Crawl-delay: {short[:10]}"  # one: the restart after kill -9
assert again["pages"] == summary["pages"] and again["status"]["304"] > 0.9 * summary["stored"], again
print(f"crawl: {len(want)} pages reachable and fetched, {repeated} again after kill -9, none forbidden of {summary['reasons']['robots.disallow']} met, "
      f"gaps {min(gaps)} to {sorted(gaps)[len(gaps) // 2]} ms (median) for Crawl-delay 50 ms; recrawl: {again['status']['304']} not modified")

# SPDX-License-Identifier: EUPL-1.2
"""The soak's samples as an SVG: a panel for each quantity, over minutes."""
import csv

WIDTH, PANEL, LEFT, TOP, GAP = 720, 150, 70, 40, 36
PANELS = (("rss_kib", "resident memory, MiB", 1 / 1024),
          ("anonymous_kib", "of it anonymous, MiB", 1 / 1024),
          ("fds", "descriptors", 1), ("threads", "threads", 1))
TEXT = 'font-family="sans-serif" font-size="12" fill="#222"'


def nice(top):
    """A round number not below `top`."""
    step = 1
    while True:
        for digit in (1, 2, 5):
            if digit * step >= top:
                return digit * step
        step *= 10


def panel(at, title, minutes, values):
    top = nice(max(values) * 1.05)
    last = max(minutes) or 1
    width = WIDTH - LEFT - 20
    points = " ".join("%.1f,%.1f" % (
        LEFT + x / last * width, at + PANEL - y / top * PANEL)
        for x, y in zip(minutes, values))
    out = ['<text x="%d" y="%d" %s>%s</text>' % (LEFT, at - 8, TEXT, title)]
    for part in range(3):
        y = at + PANEL - part * PANEL / 2
        out.append('<line x1="%d" y1="%.1f" x2="%d" y2="%.1f" '
                   'stroke="#ccc"/>' % (LEFT, y, LEFT + width, y))
        out.append('<text x="%d" y="%.1f" text-anchor="end" %s>%g</text>' % (
            LEFT - 8, y + 4, TEXT, top * part / 2))
    out.append('<polyline points="%s" fill="none" stroke="#1c5d99" '
               'stroke-width="1.5"/>' % points)
    return out


def ticks(at, last):
    every = nice(last / 8)
    out, minute = [], 0
    while minute <= last:
        x = LEFT + minute / (last or 1) * (WIDTH - LEFT - 20)
        out.append('<text x="%.1f" y="%d" text-anchor="middle" %s>%g</text>'
                   % (x, at, TEXT, minute))
        minute += every
    out.append('<text x="%d" y="%d" %s>minutes</text>' % (LEFT, at + 18,
                                                          TEXT))
    return out


def draw(samples, svg):
    with open(samples) as f:
        rows = list(csv.DictReader(f))
    minutes = [float(r["seconds"]) / 60 for r in rows]
    height = TOP + len(PANELS) * (PANEL + GAP) + 20
    out = ['<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" '
           'role="img" aria-label="memory and descriptors over time">' % (
               WIDTH, height),
           '<rect width="100%" height="100%" fill="#fff"/>']
    for n, (column, title, scale) in enumerate(PANELS):
        at = TOP + n * (PANEL + GAP)
        out += panel(at, title, minutes,
                     [float(r[column]) * scale for r in rows])
    out += ticks(TOP + len(PANELS) * (PANEL + GAP) - GAP + 18, max(minutes))
    with open(svg, "w") as f:
        f.write("\n".join(out) + "\n</svg>\n")

# SPDX-License-Identifier: EUPL-1.2
"""Samples as an SVG, a panel for each quantity: the soak's over minutes, and
bench_index's over millions of chunks.

    plot.py INDEX.csv INDEX.svg
"""
import csv
import sys

WIDTH, PANEL, LEFT, TOP, GAP = 720, 150, 70, 40, 36
PANELS = (("rss_kib", "resident memory, MiB", 1 / 1024),
          ("anonymous_kib", "of it anonymous, MiB", 1 / 1024),
          ("fds", "descriptors", 1), ("threads", "threads", 1))
INDEX = (("puts_s", "rows put a second, thousands", 1e-3),
         ("found_s", "lookups a second of what is there, thousands", 1e-3),
         ("absent_s", "lookups a second of what isn't, thousands", 1e-3),
         ("all_s", "going through all as gc does, s", 1),
         ("bytes", "bytes on disk a chunk", 1))
TEXT = 'font-family="sans-serif" font-size="12" fill="#222"'


def nice(top):
    """A round number not below `top`."""
    step = 1
    while True:
        for digit in (1, 2, 5):
            if digit * step >= top:
                return digit * step
        step *= 10


def panel(at, title, along, values):
    top = nice(max(values) * 1.05)
    last = max(along) or 1
    width = WIDTH - LEFT - 20
    points = " ".join("%.1f,%.1f" % (
        LEFT + x / last * width, at + PANEL - y / top * PANEL)
        for x, y in zip(along, values))
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


def ticks(at, last, unit):
    every = nice(last / 8)
    out, minute = [], 0
    while minute <= last:
        x = LEFT + minute / (last or 1) * (WIDTH - LEFT - 20)
        out.append('<text x="%.1f" y="%d" text-anchor="middle" %s>%g</text>'
                   % (x, at, TEXT, minute))
        minute += every
    out.append('<text x="%d" y="%d" %s>%s</text>' % (LEFT, at + 18, TEXT,
                                                    unit))
    return out


def shade(at, span, last):
    """Marks a part of a panel."""
    width = WIDTH - LEFT - 20
    left, right = (LEFT + part / (last or 1) * width for part in span)
    return ['<rect x="%.1f" y="%d" width="%.1f" height="%d" fill="#f3ead2"/>'
            % (left, at, right - left, PANEL)]


def draw(samples, svg, panels=PANELS, over=("seconds", 1 / 60, "minutes"),
         label="memory and descriptors over time", span=None):
    with open(samples) as f:
        rows = list(csv.DictReader(f))
    column, scale, unit = over
    along = [float(r[column]) * scale for r in rows]
    height = TOP + len(panels) * (PANEL + GAP) + 20
    out = ['<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" '
           'role="img" aria-label="%s">' % (WIDTH, height, label),
           '<rect width="100%" height="100%" fill="#fff"/>']
    for n, (column, title, scale) in enumerate(panels):
        at = TOP + n * (PANEL + GAP)
        out += shade(at, span, max(along)) if span else []
        out += panel(at, title, along,
                     [float(r[column]) * scale for r in rows])
    out += ticks(TOP + len(panels) * (PANEL + GAP) - GAP + 18, max(along),
                 unit)
    with open(svg, "w") as f:
        f.write("\n".join(out) + "\n</svg>\n")


if __name__ == "__main__":
    draw(sys.argv[1], sys.argv[2], INDEX, ("chunks", 1e-6, "million chunks"),
         "the chunk index as it grows")

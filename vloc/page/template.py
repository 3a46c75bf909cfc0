"""The HTML around a page's pictures and figures. Whatever comes from outside goes through `escape`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from string import Template

GENERATOR = '<meta name="generator" content="vloc">'

_PAGE = Template("""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
$generator
<title>$title</title><style>
:root { --ink: #1d2733; --soft: #60707f; --line: #e2e7ec; --paper: #f5f7f9; --good: #2f9e6e; --bad: #c8371b }
* { box-sizing: border-box }
body { margin: 0; color: var(--ink); background: var(--paper); font: 15px/1.5 system-ui, "DejaVu Sans", sans-serif }
main { max-width: 1080px; margin: 0 auto; padding: 28px 20px 60px }
h1 { font-size: 26px; margin: 0 0 2px } h2 { font-size: 19px; margin: 36px 0 10px }
p.lead, .soft { color: var(--soft) } p.lead { margin: 0 0 20px }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(200px, 1fr)); gap: 12px }
.tile, .card, .panel { background: #fff; border: 1px solid var(--line); border-radius: 10px }
.tile { padding: 12px 16px } .tile b { display: block; font-size: 22px; line-height: 1.3 }
.panel { padding: 12px; overflow-x: auto } .panel + .panel { margin-top: 12px }
.panel svg { display: block; width: 100%; min-width: 640px; height: auto }
.card { padding: 14px 16px 16px; margin: 0 0 16px } .card.failed { border: 2px solid var(--bad) }
.card h3 { margin: 0; font-size: 16px; overflow-wrap: anywhere } .card p { margin: 0 0 8px }
.card img { display: block; max-width: 100%; border-radius: 6px } .strip img { width: 100% }
.strip { display: flex; gap: 10px; margin-top: 10px } .strip figure { margin: 0; flex: 0 1 16%; min-width: 0 }
figcaption { font-size: 11.5px; color: var(--soft); overflow-wrap: anywhere; line-height: 1.3; margin-top: 3px }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums }
th, td { text-align: right; padding: 5px 10px; border-bottom: 1px solid var(--line); white-space: nowrap }
th { color: var(--soft); font-weight: 600; font-size: 13px } tr:last-child td { border-bottom: 0 }
.text { text-align: left; white-space: normal; overflow-wrap: anywhere; min-width: 8em }
.bar { margin: 5px 0 } .bar span:first-child { display: inline-block; width: 19em }
.bar i { display: inline-block; height: 13px; margin-right: 8px; background: #3b6ea5; border-radius: 3px }
.orbit canvas { width: 100%; border: 1px solid var(--line); border-radius: 10px; touch-action: none; cursor: grab }
.good { color: var(--good); font-weight: 600 } .bad { color: var(--bad); font-weight: 600 }
pre { background: #1d2733; color: #eef2f6; padding: 14px 16px; border-radius: 10px; overflow-x: auto; font-size: 13px }
</style></head><body><main>
<h1>$title</h1><p class="lead">$lead</p>
$body
</main></body></html>
""")


def page(title: str, lead: str, parts: Iterable[str]) -> str:
    """The whole document; `parts` are HTML."""
    return _PAGE.substitute(generator=GENERATOR, title=escape(title), lead=escape(lead), body="\n".join(parts))


def tiles(figures: Sequence[tuple[str, str]]) -> str:
    """Large (value, caption) pairs."""
    shown = "".join(
        f'<div class="tile"><b>{escape(value)}</b><span class="soft">{escape(caption)}</span></div>'
        for value, caption in figures
    )
    return f'<div class="tiles">{shown}</div>'


def section(title: str, *parts: str) -> str:
    """A heading and the HTML below it."""
    return f"<h2>{escape(title)}</h2>{''.join(parts)}"


def panel(html: str) -> str:
    """A white box around HTML."""
    return f'<div class="panel">{html}</div>'


def note(text: str) -> str:
    """A quiet paragraph."""
    return f'<p class="soft">{escape(text)}</p>'


def table(head: Sequence[str], rows: Iterable[Sequence[str]], text_columns: frozenset[int] = frozenset({1})) -> str:
    """A table of plain text; `text_columns` are aligned to the left, the others to the right."""

    def row(tag: str, cells: Sequence[str]) -> str:
        return (
            "<tr>"
            + "".join(
                f"<{tag}{' class=text' if column in text_columns else ''}>{escape(cell)}</{tag}>"
                for column, cell in enumerate(cells)
            )
            + "</tr>"
        )

    return panel(f"<table>{row('th', head)}{''.join(row('td', cells) for cells in rows)}</table>")


def facts(values: Mapping[str, str]) -> str:
    """A table of two columns of text."""
    rows = "".join(
        f"<tr><td class=text>{escape(name)}</td><td class=text>{escape(value)}</td></tr>"
        for name, value in values.items()
    )
    return panel(f"<table>{rows}</table>")


def card(title: str, verdict: str, *, failed: bool, picture: str | None, strip: Sequence[tuple[str, str]]) -> str:
    """One query: its verdict, a wide picture, and a strip of (image source, caption)."""
    wide = f'<img src="{picture}" alt="matches">' if picture else ""
    figures = "".join(
        f'<figure><img src="{source}" alt=""><figcaption>{escape(caption)}</figcaption></figure>'
        for source, caption in strip
    )
    return (
        f'<div class="card{" failed" if failed else ""}"><h3>{escape(title)}</h3>'
        f'<p class="{"bad" if failed else "soft"}">{escape(verdict)}</p>{wide}<div class="strip">{figures}</div></div>'
    )


def bars(rows: Sequence[tuple[str, int, str]]) -> str:
    """Counts as bars below each other, as wide as they are of the first: (what, how many, remark)."""
    most = max(rows[0][1], 1) if rows else 1
    lines = "".join(
        f'<div class="bar"><span>{escape(what)}</span><i style="width:{60 * count / most:.1f}%"></i>'
        f'<b>{count}</b> <span class="soft">{escape(remark)}</span></div>'
        for what, count, remark in rows
    )
    return panel(lines)


def commands(lines: Sequence[str]) -> str:
    """Command lines as they were run."""
    return f"<pre>{escape(chr(10).join(lines))}</pre>"

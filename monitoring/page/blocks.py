"""The pieces that every section is put together from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from monitoring.page.markup import EMPTY, Markup, join, tag


def section(identity: str, heading: str, lede: str | Markup, *content: Markup) -> Markup:
    """A part of the page: a heading, what it finds in a sentence, and the evidence."""
    finding = tag("p", lede, class_="lede") if lede else EMPTY
    title = tag("h2", heading, id=f"{identity}-heading")
    return tag("section", tag("header", title, finding), *content, id=identity, aria_labelledby=f"{identity}-heading")


def figure(caption: str | Markup, drawing: Markup, *notes: str | Markup, alert: bool = False) -> Markup:
    """A drawing below its heading and the numbers of the latest period."""
    said = [tag("p", note) for note in notes if note]
    heading = tag("h3", caption)
    return tag("figure", tag("figcaption", heading, *said), drawing, class_="alerted" if alert else None)


def table(
    head: Sequence[str | Markup], rows: Iterable[Sequence[object]], caption: str, *, look: str | None = None
) -> Markup:
    """A table in a box of its own that scrolls where the page is too narrow; the first cell of a row is its head."""
    titles = tag("tr", *[tag("th", title, scope="col") for title in head])
    body = [
        tag("tr", tag("th", row[0], scope="row"), *[cell if _is_cell(cell) else tag("td", cell) for cell in row[1:]])
        for row in rows
    ]
    inside = tag("table", tag("caption", caption), tag("thead", titles), tag("tbody", *body), class_=look)
    return tag("div", inside, class_="scroll", tabindex=0, role="region", aria_label=caption)


def alert_cell(value: object) -> Markup:
    """A cell of a table whose number is outside its limits."""
    return tag("td", alert_mark(), value, class_="over")


def alert_mark(said: str = "alert: ") -> Markup:
    """The diamond that marks what is over a limit, with its word for those who do not see it."""
    return join([tag("span", "◆", class_="mark", aria_hidden="true"), tag("span", said, class_="unseen")])


def folded(summary: str | Markup, *content: Markup, identity: str | None = None) -> Markup:
    """What is there for those who ask."""
    return tag("details", tag("summary", summary), *content, class_="folded", id=identity)


def sentences(texts: Sequence[str | Markup], *, look: str | None = None) -> Markup:
    """A list of sentences."""
    return tag("ul", *[tag("li", each) for each in texts], class_=look) if texts else EMPTY


def _is_cell(value: object) -> bool:
    return isinstance(value, Markup) and value.startswith("<td")

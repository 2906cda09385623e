"""The review in a terminal: one question at a time, evidence, both timetables, one key."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from mobility.cli.output import out
from mobility.merge.review.candidates import Answer, Candidate
from mobility.merge.review.desk import Desk
from mobility.web.catalogue import Catalogue
from mobility.web.review_view import candidate_page, side_name
from mobility.web.review_words import effect_sentences

ANSWERS: dict[str, Answer] = {"s": "same", "d": "different"}
_MARKS = {"same": ("+ ", "green"), "different": ("− ", "red"), "neither": ("· ", "dim")}

Ask = Callable[[str], str]


def run_review(desk: Desk, strings: Catalogue, ask: Ask | None = None) -> None:
    """Ask one open question after the other until none is left or the person ends it.

    Parameters
    ----------
    desk : Desk
    strings : Catalogue
    ask : callable, optional
        From a prompt to the line typed; by default the terminal's. EOFError ends the review.
    """
    put_off: list[str] = []
    while True:
        candidate = _next(desk, put_off)
        if candidate is None:
            out.print(strings.text("review.all_done"), markup=False)
            break
        out.print(_shown(desk, candidate, strings))
        if not _answered(desk, candidate, strings, ask or out.input, put_off):
            break
    left = sum(one.standing == "ask" for one in desk.candidates())
    ended = strings.count("review.ended", left).replace("{file}", str(desk.file.path))
    out.print(ended, markup=False)


def _next(desk: Desk, put_off: list[str]) -> Candidate | None:
    """Return the weightiest open question; those put off come last, in the order they were."""
    questions = {one.key: one for one in desk.candidates() if one.standing == "ask"}
    for key, one in questions.items():
        if key not in put_off:
            return one
    put_off[:] = [key for key in put_off if key in questions]
    return questions[put_off[0]] if put_off else None


def _answered(
    desk: Desk, candidate: Candidate, strings: Catalogue, ask: Ask, put_off: list[str]
) -> bool:
    """Take answers until one leads on; False where the person ends the review."""
    while True:
        try:
            typed = ask(f"{strings.text('review.prompt')}: ").strip()
        except EOFError:
            return False
        key, _, said = typed.partition(" ")
        key = key[:1].lower()
        if key in ANSWERS:
            try:
                said = said or ask(f"{strings.text('review.prompt.reason')}: ")
            except EOFError:
                said = ""
            desk.decide(candidate, ANSWERS[key], said)
            return True
        if key == "l":
            put_off[:] = [one for one in put_off if one != candidate.key] + [candidate.key]
            return True
        if key == "u":
            return _undone(desk, strings)
        if key == "w":
            out.print(_effects(desk, candidate, strings))
        if key == "q":
            return False


def _undone(desk: Desk, strings: Catalogue) -> bool:
    decision = desk.undo()
    if decision is None:
        out.print(strings.text("review.nothing_to_undo"), markup=False)
    else:
        names = side_name(decision.left_is), side_name(decision.right_is)
        out.print(strings.text("review.undone", left=names[0], right=names[1]), markup=False)
    return True


def _shown(desk: Desk, candidate: Candidate, strings: Catalogue) -> RenderableType:
    """Return a question as it is shown: where one is, evidence, timetables, what changes."""
    every = desk.candidates()
    done = sum(one.standing == "decided" for one in every)
    total = done + sum(one.standing == "ask" for one in every)
    page = candidate_page(desk, candidate, strings)
    head = Text(strings.text(f"review.question.{candidate.kind}"), style="bold")
    facts = [
        strings.text(f"review.proposal.{candidate.proposal}"),
        f"{strings.text('review.confidence')} {candidate.confidence:.0%}",
        *(part for part in (page["relation"], page["runs"]) if part),
    ]
    parts: list[RenderableType] = [
        head,
        *(
            Text(f"  {name}  ({reference})")
            for name, reference in zip(page["names"], page["references"], strict=True)
        ),
        Text(" · ".join(facts), style="dim"),
        _evidence(page),
        _timetables(page, strings),
    ]
    if page["map"] and candidate.kind == "station":
        parts.append(Text(page["map"]["text"], style="dim"))
    if desk.quick:
        parts.append(_effects(desk, candidate, strings))
    title = strings.text("review.progress", done=done, total=total)
    return Panel(Group(*parts), title=escape(title), title_align="left")


def _evidence(page: dict[str, Any]) -> Text:
    text = Text()
    for sentence in page["sentences"]:
        mark, style = _MARKS[sentence.speaks_for]
        text.append(mark, style=style).append(sentence.text + "\n")
    return text


def _timetables(page: dict[str, Any], strings: Catalogue) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    if page["pair"] is None:
        table.add_column(strings.text("review.time"))
        for side in page["trains_at"]["sides"]:
            table.add_column(escape(side))
        for row in page["trains_at"]["rows"]:
            cells = [escape("; ".join(trains)) or "–" for trains in row["sides"]]
            table.add_row(row["time"], *cells, style="bold" if row["common"] else None)
        return table
    table.add_column(strings.text("pair.station"))
    for side in page["pair"]["sides"]:
        table.add_column(escape(f"{side['title']}\n{side['about']}"))
    for row in page["pair"]["rows"]:
        cells = [
            f"{c.arrival or '–':>5} {c.departure or '–':>5}" if c else "" for c in row["calls"]
        ]
        table.add_row(escape(row["name"]), *cells, style="bold" if row["common"] else None)
    return table


def _times(arrival: str, departure: str) -> str:
    return f"{arrival or '–':>5} {departure or '–':>5}"


def _effects(desk: Desk, candidate: Candidate, strings: Catalogue) -> Text:
    def name(trip: int) -> str:
        return side_name(desk.train_text(trip))

    text = Text()
    for answer in ANSWERS.values():
        text.append(strings.text(f"review.effect.{answer}") + "\n", style="bold")
        effect = desk.effect(candidate, answer)
        confirms = answer == candidate.proposal
        for sentence in effect_sentences(effect, strings, name, confirms=confirms):
            text.append(f"  → {sentence}\n")
    return text

"""The review's pages: a list of pairs, a page per pair, answers by key, click or plain form."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, get_args
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from mobility.core.errors import InputError, MobilityError, UsageError
from mobility.merge.review.candidates import Answer, Candidate
from mobility.merge.review.desk import Desk
from mobility.web.catalogue import LANGUAGES, Catalogue
from mobility.web.paging import page_of
from mobility.web.review_view import candidate_document, candidate_page, side_name
from mobility.web.review_words import REVIEW_AREAS, effect_sentences
from mobility.web.staff import Frame, render_staff, staff_frame

PAGE_ROWS = 50
REASON_MAX = 500
ANSWERS: tuple[Answer, ...] = get_args(Answer)
STANDINGS = ("ask", "decided", "rejected", "certain", "all")
KINDS = ("all", "station", "train")

Document = dict[str, Any]
Submit = Callable[..., "Future[Any]"]


class ReviewPages:
    """Renders the pages of one desk.

    Parameters
    ----------
    desk : Desk
    root : str
        Path under which the pages stand, without a slash at the end.
    csrf : str
        What every form must send back.
    """

    def __init__(self, desk: Desk, root: str, csrf: str) -> None:
        self._desk = desk
        self._root = root
        self._csrf = csrf
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="effects")
        self._jobs: dict[str, Future[None]] = {}

    def close(self) -> None:
        """Work nothing out any more."""
        self._worker.shutdown(wait=False, cancel_futures=True)

    def overview(self, request: Request) -> Response:
        """Return the list of pairs, filtered and paged."""
        frame = self._frame(request)
        asked = _filter(request)
        found = [one for one in self._desk.candidates() if _fits(one, asked)]
        offset = _offset(request, len(found))
        shown = found[offset : offset + PAGE_ROWS]
        questions = self._open()
        query = {**asked, "lang": frame.language}
        context = {
            "candidates": [candidate_document(self._desk, one, frame.strings) for one in shown],
            "filter": asked,
            "page": page_of(len(found), offset, PAGE_ROWS, query),
            "first": questions[0].key if questions else "",
            "said": frame.strings.text("review.gone") if "gone" in request.query_params else "",
        }
        return self._render("review_list.html", frame, context)

    def candidate(self, request: Request, key: str) -> Response:
        """Return the page of a pair."""
        frame = self._frame(request)
        candidate = self._of_key(key)
        if candidate is None:
            return self._to(f"/?gone=1&lang={frame.language}")
        if self._desk.quick or "work" in request.query_params:
            self._work_out(candidate)
        one = candidate_page(self._desk, candidate, frame.strings)
        before, after = self._beside(candidate)
        context = {
            "one": one,
            "previous": before,
            "next": after,
            "said": self._said(request, frame.strings),
            "reason": request.query_params.get("reason", "")[:REASON_MAX],
            **self._effects(candidate, frame.strings),
        }
        return self._render("review_candidate.html", frame, context)

    def effect(self, request: Request, key: str) -> Response:
        """Return what the answers to a pair change, as a piece of the page; 202 while unknown."""
        frame = self._frame(request)
        candidate = self._of_key(key)
        if candidate is None:
            return HTMLResponse("", 410)
        if self._desk.quick:
            self._work_out(candidate)
        told = self._effects(candidate, frame.strings)
        status = 202 if told["waiting"] else 200
        return render_staff(
            "review_effect.html", frame, {"root": self._root, **told}, status=status
        )

    def answer(self, form: Mapping[str, str]) -> Response:
        """Write an answer and lead to the next question.

        Raises
        ------
        UsageError
            The form says something else than ours does.
        """
        language = _language(form)
        candidate = self._of_key(form.get("key", ""))
        if candidate is None:
            return self._to(f"/?gone=1&lang={language}")
        answer, reason = form.get("answer"), form.get("reason", "")
        if len(reason) > REASON_MAX:
            raise UsageError(f"a reason has at most {REASON_MAX} characters")
        following = self._following(candidate)
        told = {"lang": language}
        for choice in ANSWERS:
            if answer == choice:
                self._desk.decide(candidate, choice, reason)
                told |= {"noted": candidate.key, "as": choice}
        if answer == "":  # the return key in the field of the reason answers nothing yet
            told |= {"choose": "1", "reason": reason}
            return self._to(f"/c/{candidate.key}?{urlencode(told)}")
        if answer not in (*ANSWERS, "later"):
            raise UsageError(f"answer is {answer!r}; expected same, different or later")
        if following is None:
            return self._to(f"/?{urlencode(told)}")
        return self._to(f"/c/{following.key}?{urlencode(told)}")

    def undo(self, form: Mapping[str, str]) -> Response:
        """Take the last answer of this sitting back and lead to its pair."""
        language = _language(form)
        decision = self._desk.undo()
        if decision is None:
            return self._to(f"/?lang={language}")
        pair = {decision.left_is, decision.right_is}
        for one in self._desk.candidates():
            if one.kind == decision.kind and {one.left_is, one.right_is} == pair:
                return self._to(f"/c/{one.key}?{urlencode({'lang': language, 'undone': 1})}")
        return self._to(f"/?lang={language}")

    def _frame(self, request: Request) -> Frame:
        languages = self._desk.manifest.languages or LANGUAGES
        return staff_frame(
            request, languages, brand=self._desk.manifest.name, home=f"{self._root}/",
            areas=REVIEW_AREAS,
        )  # fmt: skip

    def _render(self, template: str, frame: Frame, context: Mapping[str, Any]) -> HTMLResponse:
        every = self._desk.candidates()
        done = sum(one.standing == "decided" for one in every)
        return render_staff(
            template,
            frame,
            {
                "root": self._root,
                "csrf": self._csrf,
                "done": done,
                "total": done + sum(one.standing == "ask" for one in every),
                "can_undo": self._desk.can_undo,
                "file": str(self._desk.file.path),
                **context,
            },
        )

    def _to(self, address: str) -> RedirectResponse:
        return RedirectResponse(self._root + address, 303)

    def _of_key(self, key: str) -> Candidate | None:
        return next((one for one in self._desk.candidates() if one.key == key), None)

    def _open(self) -> list[Candidate]:
        return [one for one in self._desk.candidates() if one.standing == "ask"]

    def _following(self, candidate: Candidate) -> Candidate | None:
        """Return the open question after a candidate, going round; None where it is the last."""
        questions = self._open()
        keys = [one.key for one in questions]
        at = keys.index(candidate.key) + 1 if candidate.key in keys else 0
        rest = [one for one in (*questions[at:], *questions[:at]) if one.key != candidate.key]
        return rest[0] if rest else None

    def _beside(self, candidate: Candidate) -> tuple[str, str]:
        """Return the pairs before and after among those that stand alike."""
        keys = [o.key for o in self._desk.candidates() if o.standing == candidate.standing]
        at = keys.index(candidate.key)
        return (keys[at - 1] if at else ""), (keys[at + 1] if at + 1 < len(keys) else "")

    def _said(self, request: Request, strings: Catalogue) -> str:
        query = request.query_params
        if "undone" in query:
            candidate = self._of_key(request.path_params["key"])
            return strings.text("review.undone", **_names(candidate)) if candidate else ""
        if "choose" in query:
            return strings.text("review.choose")
        noted = self._of_key(query.get("noted", ""))
        if noted is None or query.get("as") not in ANSWERS:
            return ""
        answer = strings.text(f"review.answer.{query['as']}")
        return strings.text("review.saved", answer=answer, **_names(noted))

    def _effects(self, candidate: Candidate, strings: Catalogue) -> Document:
        found = {one: self._desk.known_effect(candidate, one) for one in ANSWERS}

        def name(trip: int) -> str:
            return side_name(self._desk.train_text(trip))

        known = [
            {
                "answer": answer,
                "sentences": effect_sentences(
                    effect, strings, name, confirms=answer == candidate.proposal
                ),
            }
            for answer, effect in found.items()
            if effect is not None
        ]
        job = self._jobs.get(candidate.key)
        whole = len(known) == len(ANSWERS)
        return {
            "effects": known if whole else [],
            "waiting": not whole and job is not None and not _failed(job),
            "merge_s": max(1, math.ceil(2 * self._desk.merge_s)),
            "merged": round(self._desk.merged, 2),
            "key": candidate.key,
        }

    def _work_out(self, candidate: Candidate) -> None:
        """Begin to work out what both answers change, unless that is known or under way."""
        job = self._jobs.get(candidate.key)
        if job is not None and not job.done():
            return
        if any(self._desk.known_effect(candidate, answer) is None for answer in ANSWERS):
            self._jobs[candidate.key] = self._worker.submit(self._both, candidate)

    def _both(self, candidate: Candidate) -> None:
        for answer in ANSWERS:
            self._desk.effect(candidate, answer)


def _failed(job: Future[None]) -> bool:
    """Whether a job ended by a fault; a fault of our own is raised, to be logged."""
    fault = job.exception() if job.done() and not job.cancelled() else None
    if fault is not None and not isinstance(fault, MobilityError):
        raise fault
    return fault is not None


def _names(candidate: Candidate) -> dict[str, str]:
    return {"left": side_name(candidate.left_is), "right": side_name(candidate.right_is)}


def _language(form: Mapping[str, str]) -> str:
    wanted = form.get("lang", "")
    return wanted if wanted in LANGUAGES else ""


def _filter(request: Request) -> dict[str, str]:
    query = request.query_params
    standing, kind = query.get("standing", "ask"), query.get("kind", "all")
    return {
        "standing": standing if standing in STANDINGS else "ask",
        "kind": kind if kind in KINDS else "all",
        "text": query.get("text", "").strip()[:100],
    }


def _fits(candidate: Candidate, asked: Mapping[str, str]) -> bool:
    said = " ".join((candidate.left_is, candidate.right_is, candidate.left, candidate.right))
    return (
        asked["standing"] in ("all", candidate.standing)
        and asked["kind"] in ("all", candidate.kind)
        and asked["text"].casefold() in said.casefold()
    )


def _offset(request: Request, total: int) -> int:
    text = request.query_params.get("offset", "0")
    if not text.isdigit() or len(text) > 9:
        raise InputError(f"offset is {text[:20]!r}; expected a number")
    offset = int(text)
    return offset if offset < total else 0

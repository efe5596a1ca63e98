"""The labels of a session from the history of their edits. Nothing is ever overwritten."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from penapp.record.types import LabelAction, LabelEdit


@dataclass(frozen=True, slots=True)
class Label:
    """What stands written from start_s to end_s, seconds on the pen's clock.

    draft:    proposed by the recogniser, not confirmed; excluded: not to be trained on, `reason` says why
    edits:    how many edits made it what it is
    """

    label: str
    text: str
    start_s: float
    end_s: float
    draft: bool = False
    excluded: bool = False
    reason: str = ""
    prompt: str = ""
    edits: int = 1


def fold_labels(edits: Iterable[LabelEdit]) -> tuple[Label, ...]:
    """The labels after all edits, in order of time. An edit of a label that is not there changes nothing."""
    labels: dict[str, Label] = {}
    for edit in standing(edits):
        before = labels.get(edit.label)
        after = _added(edit) if edit.action == LabelAction.ADD else _changed(before, edit)
        if after is not None:
            labels[edit.label] = after
        else:
            labels.pop(edit.label, None)
    return tuple(sorted(labels.values(), key=lambda label: (label.start_s, label.end_s, label.label)))


def standing(edits: Iterable[LabelEdit]) -> list[LabelEdit]:
    """The edits that have not been undone; an undo can be undone (redo) like any other edit."""
    undone: set[str] = set()
    kept: list[LabelEdit] = []
    for edit in reversed(list(edits)):
        if edit.edit in undone:
            continue
        if edit.action == LabelAction.UNDO:
            undone.add(edit.undoes)
        else:
            kept.append(edit)
    return kept[::-1]


def _added(edit: LabelEdit) -> Label | None:
    if edit.start_s is None or edit.end_s is None:
        return None
    return Label(edit.label, edit.text, edit.start_s, edit.end_s, edit.draft, prompt=edit.prompt)


def _changed(label: Label | None, edit: LabelEdit) -> Label | None:
    if label is None or edit.action == LabelAction.REMOVE:
        return None
    changed = label
    if edit.action == LabelAction.RELABEL:
        changed = replace(label, text=edit.text, draft=False)
    elif edit.action == LabelAction.MOVE:
        start_s = label.start_s if edit.start_s is None else edit.start_s
        end_s = label.end_s if edit.end_s is None else edit.end_s
        changed = replace(label, start_s=start_s, end_s=end_s)
    elif edit.action == LabelAction.CONFIRM:
        changed = replace(label, draft=False)
    elif edit.action == LabelAction.EXCLUDE:
        changed = replace(label, excluded=True, reason=edit.reason)
    elif edit.action == LabelAction.RESTORE:
        changed = replace(label, excluded=False, reason="")
    return replace(changed, edits=label.edits + 1)

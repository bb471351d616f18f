"""Words that messages are made of: what something is called, and what was meant."""

from collections.abc import Collection

# Of a longer list of known words, so many are named.
_SHOWN = 20
# Words are alike that have so many percent of their letters in common; one of so many letters was never a slip.
_ALIKE = 60
_LONGEST = 100


def closest(word: str, known: Collection[str]) -> str | None:
    """The known word most like this one, if any is; quick among thousands, where `difflib` takes seconds."""
    from rapidfuzz import fuzz, process  # noqa: PLC0415 - only mistakes need it

    found = process.extractOne(word, known, scorer=fuzz.ratio, score_cutoff=_ALIKE) if len(word) <= _LONGEST else None
    return found[0] if found else None


def suggestion(word: str, known: list[str]) -> str:
    """``did you mean `x`?`` with the known word most like this one, else the list of known words."""
    close = closest(word, known)
    if close is not None:
        return f"did you mean `{close}`?"
    more = [f"and {len(known) - _SHOWN} more"] if len(known) > _SHOWN else []
    return f"known: {', '.join([*known[:_SHOWN], *more])}" if known else "none is known here"


def label(path: tuple[str | int, ...]) -> str:
    """``services.web.calls[0]`` in code quotes."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}"
    return f"`{text.removeprefix('.')}`"

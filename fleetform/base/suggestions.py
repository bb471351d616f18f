"""Parts of messages: labels and suggestions."""

from collections.abc import Collection

# Known words to list in a message.
_MAX_SUGGESTIONS = 20
# Minimum similarity of a suggestion in percent, and the longest word to look one up for.
_MIN_SIMILARITY = 60
_MAX_WORD_LENGTH = 100


def closest_match(word: str, known: Collection[str]) -> str | None:
    """Return the known word most similar to this one, if any; much faster than `difflib` for many words."""
    from rapidfuzz import fuzz, process  # noqa: PLC0415 - only mistakes need it

    match = (
        process.extractOne(word, known, scorer=fuzz.ratio, score_cutoff=_MIN_SIMILARITY)
        if len(word) <= _MAX_WORD_LENGTH
        else None
    )
    return match[0] if match else None


def suggestion(word: str, known: list[str]) -> str:
    """Return ``did you mean `x`?`` with the most similar known word, or else the list of known words."""
    match = closest_match(word, known)
    if match is not None:
        return f"did you mean `{match}`?"
    more = [f"and {len(known) - _MAX_SUGGESTIONS} more"] if len(known) > _MAX_SUGGESTIONS else []
    return f"known: {', '.join([*known[:_MAX_SUGGESTIONS], *more])}" if known else "none is defined here"


def path_label(path: tuple[str | int, ...]) -> str:
    """Return ``services.web.calls[0]`` in code quotes."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}"
    return f"`{text.removeprefix('.')}`"

"""Which of its two forms a client wants an answer in (RFC 9110, 12.5.1)."""


def prefers_html(accept: str) -> bool:
    """Whether the header ``Accept`` ranks HTML above JSON, as browsers' do.

    To whom both are alike gets JSON.
    """
    qualities = _qualities(accept)
    return _quality(qualities, "text", "html") > _quality(qualities, "application", "json")


def _qualities(accept: str) -> dict[str, float]:
    """The quality of each media range."""
    qualities = {}
    for part in accept.split(","):
        media, *parameters = (piece.strip().lower() for piece in part.split(";"))
        quality = next((parameter[2:] for parameter in parameters if parameter.startswith("q=")), "1")
        try:
            qualities[media] = float(quality)
        except ValueError:
            qualities[media] = 0.0
    return qualities


def _quality(qualities: dict[str, float], kind: str, subtype: str) -> float:
    """The quality of a media type: that of the most exact range that covers it."""
    ranges = (f"{kind}/{subtype}", f"{kind}/*", "*/*")
    return next((qualities[media] for media in ranges if media in qualities), 0.0)

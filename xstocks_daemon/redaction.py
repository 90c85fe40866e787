"""What may be seen: URLs without their credentials, values without control characters and without end."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

HIDDEN = "(hidden)"
"""Shown in place of a secret."""

_SHOWN_CHARS = 80
#: The dots at the end are those of a URL that was cut down before.
_URL = re.compile(r"\b[a-z][a-z0-9+.-]*://[^\s'\"<>,]*[^\s'\"<>,.:;)\]](?:\.{3})?", re.IGNORECASE)


def redact_url(url: str) -> str:
    """Scheme, host and port of `url`; `/...` says that there was more. Providers put tokens into paths and queries."""
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return HIDDEN
    host = parts.hostname or ""
    host = f"[{host}]" if ":" in host else host
    more = "/..." if parts.path.strip("/") or parts.query or parts.username else ""
    return f"{parts.scheme}://{host}{port}{more}"


def redact_urls(text: str) -> str:
    """`text` with every URL in it cut down by `redact_url`."""
    return _URL.sub(lambda match: redact_url(match.group()), text)


def shown(value: object, max_chars: int = _SHOWN_CHARS) -> str:
    """A value of whatever origin as a message shows it: one line of printable characters, at most `max_chars`."""
    text = value if isinstance(value, str) else repr(value)
    text = "".join(char if char.isprintable() else "?" for char in text)
    return text if len(text) <= max_chars else text[: max_chars - 3] + "..."

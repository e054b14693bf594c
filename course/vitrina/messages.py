"""Every sentence a student meets goes through one gettext catalogue, so that a translation is only data."""

import gettext
from pathlib import Path

_catalogue = gettext.translation("vitrina", Path(__file__).parent / "locale", fallback=True)


def _(message: str) -> str:
    """Translate a message into the reader's language (English where no catalogue fits)."""
    return _catalogue.gettext(message)

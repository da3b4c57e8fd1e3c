"""Files that go along with a mail, by reference: what a caller may say about them. Pure."""

import mimetypes
import re
from collections.abc import Sequence
from typing import Annotated, Final

import msgspec

from notifications import texts
from notifications.errors import Fault

MOST: Final = 10
_TYPE: Final = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,63}/[a-z0-9][a-z0-9!#$&^_.+-]{0,63}\Z", re.IGNORECASE)
_CONTENT_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z")
_STRUCTURED: Final = ("multipart/", "message/")  # would have to be mails themselves


class AttachmentIn(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """A file that is fetched when the mail is sent; other channels leave it out. All files of a mail: 10 MiB at most."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=255, description="What the file is called.")]
    url: Annotated[str, msgspec.Meta(max_length=2048, description="https; redirects are not followed.")]
    type: (
        Annotated[
            str, msgspec.Meta(max_length=127, description="MIME type; left out, it is told from the name's ending.")
        ]
        | None
    ) = None
    inline: (
        Annotated[
            str,
            msgspec.Meta(max_length=64, description="For an image shown in the text: `![alt](cid:<this>)` in `body`."),
        ]
        | None
    ) = None


def check_attachments(attachments: Sequence[AttachmentIn], pointer: str) -> list[Fault]:
    """Everything that is wrong with them."""
    faults: list[Fault] = []
    if len(attachments) > MOST:
        return [Fault(pointer, f"At most {MOST} attachments.")]
    for index, attachment in enumerate(attachments):
        faults += [Fault(f"{pointer}/{index}/{name}", detail) for name, detail in _faults(attachment)]
        if attachment.inline and attachment.inline in [earlier.inline for earlier in attachments[:index]]:
            faults.append(Fault(f"{pointer}/{index}/inline", "Named twice."))
    return faults


def type_of(name: str, given: str | None) -> str:
    """The MIME type that was given, or the one that goes with the name."""
    if given is not None:
        return given.lower()
    guessed, encoding = mimetypes.guess_type(name, strict=True)
    return guessed if guessed and not encoding else "application/octet-stream"


def _faults(attachment: AttachmentIn) -> list[tuple[str, str]]:
    faults = []
    if attachment.name.strip() != attachment.name or re.search(r"[/\\]", attachment.name):
        faults.append(("name", "Must not hold slashes, nor begin or end with white space."))
    for name, check in (("name", texts.check_line), ("url", texts.check_url)):
        try:
            check(getattr(attachment, name))
        except ValueError as error:
            faults.append((name, str(error)))
    if attachment.url.startswith("http://"):
        faults.append(("url", "Must begin with https://."))
    kind = type_of(attachment.name, attachment.type)
    if not _TYPE.match(kind) or kind.startswith(_STRUCTURED):
        faults.append(("type", "Not a MIME type of a single file, such as application/pdf."))
    if attachment.inline is not None:
        if not _CONTENT_ID.match(attachment.inline):
            faults.append(
                ("inline", "Must be 1 to 64 letters, digits or any of . _ - and begin with a letter or digit.")
            )
        if not kind.startswith("image/"):
            faults.append(("inline", "Only images are shown in the text; give an image's type or name."))
    return faults

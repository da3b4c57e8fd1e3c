"""The first lines an operator sees on stdout: where, with which login, with which key, and a first call."""

import json
import shlex

FIRST_CALL = {
    "recipients": [{"id": "u1", "email": "u1@example.com"}],
    "channels": ["in_app", "email"],
    "content": {"title": "Hello", "body": "Every bell **rings**."},
}


def banner(*, url: str, api_key: str, admin_password: str, catches_mail: bool) -> str:
    """The whole banner; the `curl` works as pasted."""
    call = (
        f"curl -sS {url}/v1/notifications \\\n"
        f"    -H {shlex.quote(f'Authorization: Bearer {api_key}')} \\\n"
        f"    -H 'Content-Type: application/json' \\\n"
        f"    -d {shlex.quote(json.dumps(FIRST_CALL))}"
    )
    lines = [
        f"URL:      {url}",
        f"Admin:    {url}/admin/  (user admin, password {admin_password})",
        f"API key:  {api_key}",
        f"Try it:   {call}",
        f"See also: {url}/demo  {url}/v1/docs" + (f"  {url}/dev/mail" if catches_mail else ""),
        "Ctrl-C stops everything.",
    ]
    return "\n".join(lines)

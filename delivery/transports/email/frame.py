"""The frame around an email's HTML: one column, neutral, readable in the dark and on a phone.

Styles are written as a sheet and set into the elements by css-inline, since many mail programs drop sheets; what
cannot be inlined (the media queries) stays in one.
"""

from html import escape

import css_inline

_CSS = """
body { margin: 0; padding: 0; background-color: #f4f5f7; color: #1f2430; -webkit-text-size-adjust: 100%; }
.outer { width: 100%; background-color: #f4f5f7; }
.cell { padding: 32px 16px; }
.card { width: 100%; max-width: 600px; margin: 0 auto; background-color: #ffffff; border: 1px solid #e3e6eb; border-radius: 12px; }
.inner { padding: 32px; font-family: -apple-system, BlinkMacSystemFont, "Segoe UI", Roboto, Helvetica, Arial, sans-serif; font-size: 16px; line-height: 1.6; color: #1f2430; word-break: break-word; overflow-wrap: break-word; }
.title { margin: 0 0 16px; font-size: 22px; line-height: 1.3; font-weight: 650; color: #11141b; }
.content h1 { margin: 28px 0 12px; font-size: 20px; line-height: 1.3; }
.content h2 { margin: 24px 0 10px; font-size: 18px; line-height: 1.35; }
.content h3, .content h4, .content h5, .content h6 { margin: 20px 0 8px; font-size: 16px; line-height: 1.4; }
.content p { margin: 0 0 16px; }
.content ul, .content ol { margin: 0 0 16px; padding-left: 24px; }
.content li { margin: 0 0 6px; }
.content a { color: #2456c4; text-decoration: underline; }
.content blockquote { margin: 0 0 16px; padding: 2px 0 2px 16px; border-left: 3px solid #cfd5de; color: #4a5161; }
.content code { padding: 2px 5px; border-radius: 4px; background-color: #f0f2f5; font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; font-size: 14px; }
.content blockquote p:last-child { margin: 0; }
.content pre { margin: 0 0 16px; padding: 14px 16px; border-radius: 8px; background-color: #f0f2f5; overflow-x: auto; white-space: pre-wrap; }
.content pre code { padding: 0; }
.content table { margin: 0 0 16px; border-collapse: collapse; }
.content th, .content td { padding: 8px 12px; border: 1px solid #dde1e8; text-align: left; vertical-align: top; }
.content th { background-color: #f7f8fa; }
.content img { max-width: 100%; height: auto; }
.content hr { margin: 24px 0; border: 0; border-top: 1px solid #e3e6eb; }
.action { padding-top: 12px; }
.button { display: inline-block; padding: 12px 24px; border-radius: 8px; background-color: #2456c4; color: #ffffff; font-weight: 600; text-decoration: none; }
@media (max-width: 480px) {
  .cell { padding: 0 !important; }
  .card { border: 0 !important; border-radius: 0 !important; }
  .inner { padding: 24px 20px !important; }
  .button { display: block !important; text-align: center !important; }
}
@media (prefers-color-scheme: dark) {
  body, .outer { background-color: #14161b !important; color: #d9dde5 !important; }
  .card { background-color: #1d2027 !important; border-color: #31353f !important; }
  .inner, .content blockquote { color: #d9dde5 !important; }
  .title { color: #f2f4f8 !important; }
  .content a { color: #8fb2ff !important; }
  .content code, .content pre, .content th { background-color: #2a2e37 !important; }
  .content th, .content td, .content blockquote, .content hr { border-color: #3c414d !important; }
}
"""

_HEAD = """<!DOCTYPE html>
<html>
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<title>%(subject)s</title>
<style>%(css)s</style>
</head>
<body>
"""
_CARD = """<table class="outer" role="presentation" width="100%%" cellpadding="0" cellspacing="0" border="0"><tr><td class="cell" align="center">
<table class="card" role="presentation" width="600" cellpadding="0" cellspacing="0" border="0"><tr><td class="inner" align="left">
%(title)s<div class="content">
%(content)s</div>
%(action)s</td></tr></table>
</td></tr></table>
"""
_END = """</body>
</html>
"""

_inliner = css_inline.CSSInliner(keep_at_rules=True, load_remote_stylesheets=False)


def frame_html(*, subject: str, title: str, content: str, action_url: str | None, action_label: str) -> str:
    """A whole page; `content` is sanitised HTML, everything else is text."""
    parts = {
        "css": _CSS,
        "subject": escape(subject),
        "title": f'<h1 class="title">{escape(title)}</h1>\n' if title else "",
        "content": content,
        "action": "",
    }
    if action_url is not None:
        parts["action"] = (
            f'<div class="action"><a class="button" href="{escape(action_url)}">{action_label}</a></div>\n'
        )
    return _inliner.inline((_HEAD + _CARD + _END) % parts)


def frame_own_html(*, subject: str, content: str, css: str, is_page: bool) -> str:
    """A whole page of HTML that a template made: as it is, or on the card where it is a fragment. `content` is sanitised."""
    parts = {
        "css": css if is_page else _CSS + css,
        "subject": escape(subject),
        "content": content,
        "title": "",
        "action": "",
    }
    return _inliner.inline((_HEAD % parts) + (content if is_page else _CARD % parts) + _END)

"""The layout that mails may use without a project having written one: its name or logo above, its footer below."""

from typing import Final

_LAYOUT: Final = """\
<style>
.brand { padding: 0 0 20px; font-size: 18px; font-weight: 650; color: {{ brand.color | default: "#11141b" }}; }
.brand img { max-height: 40px; max-width: 240px; border: 0; }
.content .heading { margin: 0 0 16px; font-size: 22px; line-height: 1.3; font-weight: 650; color: #11141b; }
.content .button { color: #ffffff; text-decoration: none; background-color: {{ brand.color | default: "#2456c4" }}; }
.foot { margin-top: 32px; padding-top: 16px; border-top: 1px solid #e3e6eb; font-size: 13px; line-height: 1.5; color: #5b6372; }
.content .foot a { color: #5b6372; }
@media (prefers-color-scheme: dark) {
  .content .heading, .brand { color: #f2f4f8 !important; }
  .content .button { color: #ffffff !important; }
  .foot, .content .foot a { color: #a2a9b8 !important; border-color: #31353f !important; }
}
</style>
{%% if brand.logo_url %%}<div class="brand"><img src="{{ brand.logo_url }}" alt="{{ brand.name }}"></div>
{%% elsif brand.name %%}<div class="brand">{{ brand.name }}</div>
{%% endif %%}{%% if title != "" %%}<h1 class="heading">{{ title }}</h1>
{%% endif %%}{{ content }}
{%% if action_url %%}<div class="action"><a class="button" href="{{ action_url }}">%(open)s</a></div>
{%% endif %%}{%% if brand.footer or unsubscribe_url or preferences_url %%}<div class="foot">{%% if brand.footer %%}{{ brand.footer | newline_to_br }}<br>{%% endif %%}
{%% if preferences_url %%}<a href="{{ preferences_url }}">%(preferences)s</a> &nbsp; {%% endif %%}
{%% if unsubscribe_url %%}<a href="{{ unsubscribe_url }}">%(unsubscribe)s</a>{%% endif %%}</div>
{%% endif %%}"""

_WORDS: Final = {
    "en": ("Open", "Preferences", "Unsubscribe"),
    "de": ("Öffnen", "Einstellungen", "Abbestellen"),
    "fr": ("Ouvrir", "Préférences", "Se désabonner"),
    "es": ("Abrir", "Preferencias", "Cancelar la suscripción"),
}

LAYOUTS: Final = {
    "default" if language == "en" else language: {
        "html": _LAYOUT % {"open": words[0], "preferences": words[1], "unsubscribe": words[2]}
    }
    for language, words in _WORDS.items()
}
"""By locale, as a stored layout's variants are."""

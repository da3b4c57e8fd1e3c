"""What receivers look up about the domain mail comes from: MX, SPF (RFC 7208), DMARC (RFC 7489), DKIM keys (RFC 6376).

Nothing of this stops Carillon, so the worst it says is a warning; where no name server answers it is a note.
"""

from collections.abc import Sequence
from typing import Any, Final

import dns.exception
import dns.resolver

from deploy.doctor.findings import Finding, note, ok, warn

_SECONDS: Final = 3.0
_MOST_LOOKUPS: Final = 10  # RFC 7208, section 4.6.4
_MECHANISMS_WITH_LOOKUP: Final = ("a", "mx", "ptr", "exists", "include")


class Unreachable(Exception):
    """No name server gave an answer."""


class Names:
    """Look-ups with short limits; `nameserver` is `address` or `address:port`, else the system's."""

    def __init__(self, nameserver: str | None = None) -> None:
        try:
            self._resolver = dns.resolver.Resolver(configure=nameserver is None)
        except dns.resolver.NoResolverConfiguration:
            self._resolver = dns.resolver.Resolver(configure=False)
        if nameserver is not None:
            address, _, port = nameserver.partition(":")
            self._resolver.nameservers = [address]
            self._resolver.port = int(port or 53)
        self._resolver.timeout = self._resolver.lifetime = _SECONDS

    def mx(self, name: str) -> list[str]:
        return [str(record.exchange).rstrip(".") for record in self._ask(name, "MX")]

    def txt(self, name: str) -> list[str]:
        return [b"".join(record.strings).decode("latin-1") for record in self._ask(name, "TXT")]

    def _ask(self, name: str, kind: str) -> list[Any]:
        try:
            return list(self._resolver.resolve(name, kind))
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return []
        except (dns.exception.DNSException, OSError) as error:
            raise Unreachable from error


def check_dns(domain: str, names: Names, *, dkim_selectors: Sequence[str] = ()) -> list[Finding]:
    """All records of the domain mail is from."""
    if domain == "localhost" or "." not in domain:
        remedy = "Set CARILLON_MAIL_FROM to an address of a domain of yours."
        return [note("dns", f"Mail is from {domain}, which has no records.", remedy)]
    try:
        return [
            _mx(domain, names),
            _spf(domain, names),
            _dmarc(domain, names),
            *(_dkim(domain, selector, names) for selector in dkim_selectors),
        ]
    except Unreachable:
        return [note("dns", f"DNS is not reachable from here; the records of {domain} were not checked.")]


def _mx(domain: str, names: Names) -> Finding:
    hosts = names.mx(domain)
    if not hosts:
        remedy = f"Publish, so that bounces arrive: {domain}. MX 10 <your mail server>."
        return warn("dns:mx", f"{domain} receives no mail (no MX).", remedy)
    return ok("dns:mx", f"Mail to {domain} goes to {', '.join(sorted(hosts))}.")


def _spf(domain: str, names: Names) -> Finding:
    records = [text for text in names.txt(domain) if text.lower().split(" ")[0] == "v=spf1"]
    example = f'{domain}. TXT "v=spf1 include:<your mail provider> -all"'
    if not records:
        return warn("dns:spf", f"{domain} has no SPF record.", f"Publish: {example}")
    if len(records) > 1:
        return warn("dns:spf", f"{domain} has {len(records)} SPF records, which counts as none.", "Keep one of them.")
    terms = records[0].lower().split()[1:]
    if "+all" in terms or "all" in terms:
        return warn("dns:spf", f"SPF lets everybody send as {domain} (+all).", "End the record with -all or ~all.")
    lookups = count_lookups(domain, names)
    if lookups > _MOST_LOOKUPS:
        remedy = "Remove includes that are not used any more, or replace them by ip4: and ip6: terms."
        return warn("dns:spf", f"SPF needs {lookups} look-ups; receivers give up after {_MOST_LOOKUPS}.", remedy)
    if not any(term.endswith("all") for term in terms) and not any(term.startswith("redirect=") for term in terms):
        return warn("dns:spf", "SPF says nothing about other senders.", "End the record with -all or ~all.")
    return ok("dns:spf", f"SPF is in order ({lookups} of {_MOST_LOOKUPS} look-ups).")


def count_lookups(domain: str, names: Names, seen: frozenset[str] = frozenset()) -> int:
    """How many look-ups evaluating the SPF record of `domain` costs, nested records included; stops above the limit."""
    if domain in seen:
        return _MOST_LOOKUPS + 1  # a loop never ends
    records = [text for text in names.txt(domain) if text.lower().split(" ")[0] == "v=spf1"]
    total = 0
    for term in records[0].split()[1:] if records else []:
        word = term.lower().lstrip("+-~?")
        mechanism, _, value = word.partition("=" if word.startswith("redirect=") else ":")
        if mechanism.partition("/")[0] in _MECHANISMS_WITH_LOOKUP or mechanism == "redirect":
            total += 1
        if mechanism in ("include", "redirect") and "%" not in value and total <= _MOST_LOOKUPS:
            total += count_lookups(value, names, seen | {domain})
        if total > _MOST_LOOKUPS:
            break
    return total


def _dmarc(domain: str, names: Names) -> Finding:
    records = [text for text in _dmarc_records(domain, names) if text.lower().startswith("v=dmarc1")]
    example = f'_dmarc.{domain}. TXT "v=DMARC1; p=quarantine; rua=mailto:postmaster@{domain}"'
    if len(records) != 1:
        found = "no DMARC record" if not records else f"{len(records)} DMARC records, which counts as none"
        return warn("dns:dmarc", f"{domain} has {found}.", f"Publish: {example}")
    tags = dict(part.strip().lower().split("=", 1) for part in records[0].split(";") if "=" in part)
    policy = {name.strip(): value.strip() for name, value in tags.items()}.get("p", "")
    if policy == "none":
        return warn("dns:dmarc", "DMARC only watches (p=none).", f"When its reports look right, publish: {example}")
    if policy not in ("quarantine", "reject"):
        return warn("dns:dmarc", "The DMARC record has no policy.", f"Publish: {example}")
    return ok("dns:dmarc", f"DMARC asks receivers to {policy} forgeries.")


def _dmarc_records(domain: str, names: Names) -> list[str]:
    """Of the domain, or of the one above it (a simple stand-in for the organisational domain)."""
    found = names.txt(f"_dmarc.{domain}")
    _, _, parent = domain.partition(".")
    return found or (names.txt(f"_dmarc.{parent}") if "." in parent else [])


def _dkim(domain: str, selector: str, names: Names) -> Finding:
    name = f"{selector}._domainkey.{domain}"
    check = f"dns:dkim {selector}"
    records = [text for text in names.txt(name) if "p=" in text]
    if not records:
        return warn(check, f"There is no key at {name}.", f'Publish: {name}. TXT "v=DKIM1; k=...; p=<the public key>"')
    key = dict(part.strip().split("=", 1) for part in records[0].split(";") if "=" in part).get("p", "")
    if not key.strip():
        return warn(
            check, f"The key at {name} is revoked (empty p=).", "Publish the key, or sign with another selector."
        )
    return ok(check, f"There is a key at {name}.")

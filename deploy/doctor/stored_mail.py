"""What the database says about mail: the servers added in the admin, and the DKIM keys in use."""

from dataclasses import dataclass, field

from django.db import Error

from delivery.models import DkimKey, Provider
from delivery.provider_secrets import open_secrets
from delivery.transports.email.servers import server_of
from delivery.transports.email.urls import SmtpServer
from delivery.transports.providers import ProviderConfig
from deploy.doctor.findings import Finding, fail


@dataclass(frozen=True, slots=True)
class StoredMail:
    """Empty while the database is away, which another check says."""

    servers: list[SmtpServer] = field(default_factory=list)
    unusable: list[Finding] = field(default_factory=list)
    selectors: list[str] = field(default_factory=list)


def read_stored_mail(domain: str) -> StoredMail:
    """For the sender's `domain`."""
    stored = StoredMail()
    try:
        providers = list(Provider.objects.filter(channel="email", origin=Provider.Origin.ADMIN, enabled=True))
        stored.selectors.extend(DkimKey.objects.filter(domain=domain, active=True).values_list("selector", flat=True))
    except Error:
        return StoredMail()
    for row in providers:
        try:
            secrets = open_secrets(row.sealed_secrets)
            stored.servers.append(
                server_of(
                    ProviderConfig(id=row.id, kind=row.kind, name=row.name, settings=row.settings, secrets=secrets)
                )
            )
        except ValueError as error:
            stored.unusable.append(fail("smtp", f"{row.name} cannot be used: {error}.", "Put it right in the admin."))
    return stored

"""The keys that sign mail."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from notifications import ids
from notifications.models import Project
from notifications.sealed_columns import register_sealed


class DkimKey(models.Model):
    """One DKIM key (RFC 6376, RFC 8463) of one sending domain. Made by `create_dkim_key`, read by `delivery/keyring.py`.

    It signs while it is `active`: publish its record first, then switch it on. For each algorithm the newest active key
    of the project signs, else the newest of all projects; so a key is rotated by making another one.
    """

    class Algorithm(models.TextChoices):
        RSA = "rsa-sha256"
        ED25519 = "ed25519-sha256"

    id = models.UUIDField(primary_key=True, default=ids.new_uuid, editable=False)
    project = models.ForeignKey(
        Project, on_delete=models.CASCADE, null=True, blank=True, related_name="+", help_text="Empty: all projects."
    )
    domain = models.CharField(max_length=253, help_text="Of the sender's address, in ASCII.")
    selector = models.CharField(max_length=63)
    algorithm = models.CharField(max_length=16, choices=Algorithm)
    sealed_private_key = models.TextField(editable=False, help_text="PEM, encrypted; see notifications/sealing.py.")
    public_record = models.TextField(help_text="The value of the TXT record at `<selector>._domainkey.<domain>`.")
    active = models.BooleanField(db_default=False, default=False, help_text="Signs. Publish the record first.")
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        verbose_name = "DKIM key"
        constraints = [
            # There is one record per name, whoever signs with its key.
            models.UniqueConstraint(fields=["domain", "selector"], name="dkim_key_name"),
            models.CheckConstraint(name="dkim_key_has_names", condition=~Q(domain="") & ~Q(selector="")),
        ]

    def __str__(self) -> str:
        return self.record_name

    @property
    def record_name(self) -> str:
        """Where the public key is looked up."""
        return f"{self.selector}._domainkey.{self.domain}"


register_sealed("delivery.DkimKey", "sealed_private_key")

"""The key of the suppression list's hashes."""

from django.db import models
from django.db.models import Q

from notifications.sealed_columns import register_sealed


class AddressKey(models.Model):
    """The only row has id 1. Written by the first process that needs it (`notifications/address_key.py`), never changed but by rotation.

    Lost, the hashes of erased addresses match nothing any more.
    """

    id = models.SmallIntegerField(primary_key=True, default=1)
    sealed = models.TextField()

    class Meta:
        constraints = [models.CheckConstraint(name="address_key_is_alone", condition=Q(id=1))]

    def __str__(self) -> str:
        return "address key"


register_sealed("notifications.AddressKey", "sealed")

"""The canary: one known text, sealed, that tells whether our keys are the ones this database was written with."""

from django.db import models
from django.db.models import Q

from notifications.sealed_columns import register_sealed


class Canary(models.Model):
    """The only row has id 1. Written by the first process that starts; every one after it must be able to open it."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    sealed = models.TextField()

    class Meta:
        verbose_name_plural = "canaries"
        constraints = [models.CheckConstraint(name="canary_is_alone", condition=Q(id=1))]

    def __str__(self) -> str:
        return "canary"


register_sealed("notifications.Canary", "sealed")

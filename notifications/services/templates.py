"""Templates, layouts and partials: saved as versions, published, removed. What others rely on stays whole."""

from typing import Any, Final
from uuid import UUID

from django.db import transaction
from django.db.models import Max
from django.db.models.functions import Now

from notifications.conf import conf
from notifications.errors import Conflict, Fault, Invalid, NotFound
from notifications.models import Template, TemplateVersion
from notifications.services.naming import hold_names, namer_of
from notifications.templating.library import BUILT_IN_LAYOUT
from notifications.templating.stored import references_in, variants_faults
from notifications.templating.validation import References

RESERVED: Final = frozenset({"preview"})
"""Keys that would be hidden by addresses of the API."""
_MAX_CLOSURE: Final = 200


@transaction.atomic
def put_template(
    *, project_id: UUID, key: str, kind: str, name: str, variants: dict[str, Any]
) -> tuple[Template, bool]:
    """Publish this as the template's newest version, unless it is what is published; the template, and whether it is new.

    Raises `Invalid`.
    """
    if key in RESERVED:
        raise Invalid([Fault("/key", "This key is taken by the API itself.")])
    if faults := variants_faults(kind, variants, conf().channels):
        raise Invalid(faults)
    references = references_in(kind, variants)
    hold_names(project_id)
    _check_references(project_id, key, references)
    Template.objects.bulk_create(
        [Template(project_id=project_id, key=key, kind=kind, name=name)], ignore_conflicts=True
    )
    template = _locked(project_id, key)
    created = template.published_id is None
    if template.kind != kind:
        raise Invalid([Fault("/kind", f"This key is a {template.kind} already; choose another key.")])
    if template.published is None or template.published.variants != variants:
        template.published = _add_version(template, variants, references)
    template.name = name
    template.updated_at = Now()
    template.save(update_fields=["published", "name", "updated_at"])
    return _read(template), created


@transaction.atomic
def publish_version(*, project_id: UUID, key: str, number: int) -> Template:
    """Use this version from now on, an older one too. Raises `NotFound` and, where what it refers to is gone, `Conflict`."""
    hold_names(project_id)
    template = _locked(project_id, key)
    version = template.versions.filter(number=number).first()
    if version is None:
        raise NotFound
    try:
        _check_references(project_id, key, references_in(template.kind, version.variants))
    except Invalid as error:
        raise Conflict(error.detail) from None
    template.published = version
    template.updated_at = Now()
    template.save(update_fields=["published", "updated_at"])
    return _read(template)


@transaction.atomic
def delete_template(*, project_id: UUID, key: str) -> None:
    """Remove it with its versions. Raises `NotFound`, and `Conflict` while another template or a workflow in use names it."""
    hold_names(project_id)
    template = _locked(project_id, key)
    if (namer := namer_of(template)) is not None:
        raise Conflict(f"{namer} uses it.")
    template.delete()


def _locked(project_id: UUID, key: str) -> Template:
    template = (
        Template.objects.select_for_update(no_key=True, of=("self",))
        .select_related("published")
        .filter(project_id=project_id, key=key)
        .first()
    )
    if template is None:
        raise NotFound
    return template


def _add_version(template: Template, variants: dict[str, Any], references: References) -> TemplateVersion:
    last = template.versions.aggregate(last=Max("number"))["last"] or 0
    return TemplateVersion.objects.create(
        template=template,
        number=last + 1,
        variants=variants,
        references=sorted(references.layouts | references.partials),
    )


def _read(template: Template) -> Template:
    return Template.objects.select_related("published").get(id=template.id)


def _check_references(project_id: UUID, key: str, references: References) -> None:
    """Raises `Invalid` for what does not exist, is of another kind, or leads back to `key`."""
    wanted = references.layouts | references.partials
    found = _published(project_id, wanted)
    faults = [
        Fault("/variants", f"There is no {kind} {name}.")
        for kind, names in (("layout", references.layouts), ("partial", references.partials))
        for name in sorted(names)
        if found.get(name, ("", []))[0] != kind and not (kind == "layout" and name == BUILT_IN_LAYOUT)
    ]
    if not faults and key in _closure(project_id, {key} & wanted, found):
        faults.append(Fault("/variants", "It would use itself."))
    if faults:
        raise Invalid(faults)


def _closure(project_id: UUID, reached: set[str] | frozenset[str], found: dict[str, tuple[str, list[str]]]) -> set[str]:
    """Every key that is reached from what was found."""
    reached = {*reached, *found}
    while found and len(reached) <= _MAX_CLOSURE:
        new = {name for _, names in found.values() for name in names} - reached
        reached |= new
        found = _published(project_id, new)
    return reached


def _published(project_id: UUID, keys: set[str] | frozenset[str]) -> dict[str, tuple[str, list[str]]]:
    rows = Template.objects.filter(project_id=project_id, key__in=keys, published__isnull=False)
    return {key: (kind, names) for key, kind, names in rows.values_list("key", "kind", "published__references")}

"""People who may open this admin, in the same look as the rest."""

from typing import TYPE_CHECKING

from django.contrib import admin
from django.contrib.auth import admin as auth
from django.contrib.auth.models import Group, User
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from deploy.admin.base import ModelAdmin

if TYPE_CHECKING:
    _UserAdmin = auth.UserAdmin[User]
else:
    _UserAdmin = auth.UserAdmin

# Django registers its own pages for these; ours replace them.
admin.site.unregister(User)
admin.site.unregister(Group)


@admin.register(User)
class UserAdmin(_UserAdmin, ModelAdmin):
    """Operators."""

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm


@admin.register(Group)
class GroupAdmin(auth.GroupAdmin, ModelAdmin):
    """Sets of permissions."""

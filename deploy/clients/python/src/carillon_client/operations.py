"""How a method that is written once has two colours.

A resource's method builds a `Request`; `@operation` and `@listing` hand it to the resource's driver. What the caller
sees, in types too, follows from the driver: `Notifications[SyncDriver].get(id)` is a `Notification`,
`Notifications[AsyncDriver].get(id)` is to be awaited.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Coroutine
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar, overload

from .drivers import AsyncDriver, AsyncPages, Pages, SyncDriver
from .requests import Request
from .result import Page

DriverT = TypeVar("DriverT", bound=SyncDriver | AsyncDriver)
P = ParamSpec("P")
T = TypeVar("T")


class Resource(Generic[DriverT]):
    """A group of operations over one driver."""

    def __init__(self, driver: DriverT) -> None:
        self.driver: DriverT = driver


class operation(Generic[P, T]):
    """A method that makes one request."""

    def __init__(self, build: Callable[Concatenate[Any, P], Request[T]]) -> None:
        self._build = build
        self.__doc__ = build.__doc__

    @overload
    def __get__(self, resource: Resource[SyncDriver], owner: object = None) -> Callable[P, T]: ...
    @overload
    def __get__(self, resource: Resource[AsyncDriver], owner: object = None) -> Callable[P, Coroutine[Any, Any, T]]: ...
    @overload
    def __get__(self, resource: None, owner: object = None) -> operation[P, T]: ...
    def __get__(self, resource: Any, owner: object = None) -> Any:
        return self if resource is None else _bind(self._build, resource, resource.driver.run)


class listing(Generic[P, T]):
    """A method that iterates over a list."""

    def __init__(self, build: Callable[Concatenate[Any, P], Request[Page[T]]]) -> None:
        self._build = build
        self.__doc__ = build.__doc__

    @overload
    def __get__(self, resource: Resource[SyncDriver], owner: object = None) -> Callable[P, Pages[T]]: ...
    @overload
    def __get__(self, resource: Resource[AsyncDriver], owner: object = None) -> Callable[P, AsyncPages[T]]: ...
    @overload
    def __get__(self, resource: None, owner: object = None) -> listing[P, T]: ...
    def __get__(self, resource: Any, owner: object = None) -> Any:
        return self if resource is None else _bind(self._build, resource, resource.driver.pages)


def _bind(
    build: Callable[Concatenate[Any, P], Request[Any]], resource: object, carry: Callable[[Request[Any]], Any]
) -> Callable[P, Any]:
    @functools.wraps(build)
    def call(*args: P.args, **kwargs: P.kwargs) -> Any:
        return carry(build(resource, *args, **kwargs))

    return call

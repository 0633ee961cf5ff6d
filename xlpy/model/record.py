"""Record: an immutable value with named, annotated fields.

It does what a frozen keyword-only dataclass does for us, without importing ``dataclasses`` (which
brings ``inspect`` along and compiles five methods per class): that is a third of a command's start-up time.
Type checkers see it as a dataclass.

Annotations stay text and are never evaluated, so ``int | None`` is fine on Python 3.9. The forms that
``xlpy.model.codec`` reads: a scalar, a Record or Choice class of the same module's namespace, ``X | None``,
``tuple[X, ...]`` and ``dict[str, X]``.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, ClassVar, dataclass_transform

    from typing_extensions import Self
else:

    def dataclass_transform(**_: object):
        return lambda cls: cls


@dataclass_transform(kw_only_default=True, frozen_default=True)
class Record:
    """Base of all model values. Fields are the annotated names; class attributes are their defaults."""

    fields_: ClassVar[dict[str, str]] = {}
    required_: ClassVar[tuple[str, ...]] = ()
    telling_: ClassVar[tuple[str, ...]] = ()  # to give their default is not the same as to leave them out

    def __init_subclass__(cls) -> None:
        fields = dict(cls.fields_)
        fields.update(cls.__dict__.get("__annotations__", {}))
        cls.fields_ = fields
        cls.required_ = tuple(name for name in fields if not hasattr(cls, name))

    def __init__(self, **values: Any) -> None:
        for name in self.required_:
            if name not in values:
                raise TypeError(f"{type(self).__name__} needs {name!r}")
        for name in values:
            if name not in self.fields_:
                raise TypeError(f"{type(self).__name__} has no field {name!r}")
        self.__dict__.update(values)

    def replace(self, **changes: Any) -> Self:
        """The same value with some fields changed."""
        return type(self)(**{**self.__dict__, **changes})

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__} is immutable")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"{type(self).__name__} is immutable")

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in self.fields_)

    def __hash__(self) -> int:
        return hash(tuple(getattr(self, name) for name in self.fields_))

    def __repr__(self) -> str:
        shown = (f"{name}={value!r}" for name, value in self.__dict__.items())
        return f"{type(self).__name__}({', '.join(shown)})"

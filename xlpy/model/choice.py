"""Choice: a text that is one of a few, as an attribute of its class.

It does what ``class X(str, Enum)`` does for us, without importing ``enum``: that costs every command several
milliseconds. Type checkers see an Enum.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from enum import Enum

    class Choice(str, Enum):
        """Base of all choices."""

else:

    class _ChoiceType(type):
        """Makes the values of a class when the class is made; calling the class looks one up."""

        def __new__(cls, name, bases, namespace):
            texts = {
                key: value for key, value in namespace.items() if key.isupper() and isinstance(value, str)
            }
            kept = {key: value for key, value in namespace.items() if key not in texts}
            made = super().__new__(cls, name, bases, kept)
            made.values_ = {}
            for key, text in texts.items():
                choice = str.__new__(made, text)
                choice.name, choice.value = key, text
                made.values_[text] = choice
                setattr(made, key, choice)
            return made

        def __call__(cls, value):
            try:
                return cls.values_[value]
            except (KeyError, TypeError):
                raise ValueError(f"{value!r} is not a valid {cls.__name__}") from None

        def __iter__(cls):
            return iter(cls.values_.values())

        def __len__(cls):
            return len(cls.values_)

    class Choice(str, metaclass=_ChoiceType):
        """Base of all choices."""

        def __repr__(self):
            return f"{type(self).__name__}.{self.name}"

        def __reduce__(self):
            return type(self), (self.value,)

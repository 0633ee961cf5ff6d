"""The settings of a config by name, read the way libxlu reads them (libxlu_cfg.c).

Of a name given twice the last assignment counts. A value of the wrong kind is a warning, and then the setting
counts as not given.
"""

from __future__ import annotations

from xlpy.config.cnumber import LONG_MAX, scan_integer
from xlpy.config.diagnostic import Diagnostic, SettingError, hint_text, one_of, perhaps
from xlpy.config.parser import Assignment, Atom, Sequence, parse
from xlpy.config.source import Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from xlpy.config.diagnostic import SpecError, WordHint

_MOST_DIAGNOSTICS = 200  # nobody reads more
_SHOWN_ERRORS = 10


class Setting:
    """What the assignments to one name come to. ``value`` is the last one's, with what ``+=`` added to."""

    __slots__ = ("adds", "joined", "pieces", "value")

    def __init__(self, value: Atom | Sequence, adds: bool) -> None:
        self.value = value
        self.adds = adds
        self.pieces: list[str] | None = None  # texts that += has still to join, to stay linear
        self.joined = False  # value is a list that += made, not one of the file

    def atom(self) -> Atom | None:
        """The value if it is a single one."""
        value = self.value
        if not isinstance(value, Atom):
            return None
        if self.pieces is not None:
            self.value = value = Atom("".join(self.pieces), value.offset, value.quoted)
            self.pieces = None
        return value


class Settings:
    """All settings of a config.

    Methods that read one take ``quiet`` where xl does not warn about a value of the wrong kind.
    """

    def __init__(self, source: Source) -> None:
        """Parse a source. Raises ConfigError with all errors of syntax that were found."""
        self.source = source
        self.diagnostics: list[Diagnostic] = []
        self._warned: set[tuple[str, int]] = set()
        self._errors: list[SettingError] = []
        self._by_name: dict[str, Setting] = {}
        self.assignments = parse(source.text, self._add_error)
        if source.variables is not None:
            self._substitute(source.variables)
        for assignment in self.assignments:
            self._store(assignment)
        if self._errors:
            raise _joined(self._errors)

    def __contains__(self, name: str) -> bool:
        return name in self._by_name

    def where(self, name: str) -> str:
        """The place of a setting's value; of what ``+=`` added to, the last one's."""
        return self.source.where(self._by_name[name].value.offset)

    def warn_unknown(self, known: Iterable[str]) -> None:
        """Warn about every setting that nobody reads; xl is silent here."""
        known_names = tuple(known)
        names = frozenset(known_names)
        for assignment in self.assignments:
            if assignment.name not in names:
                self._warn(
                    "unknown-key",
                    f"unknown setting '{assignment.name:.60}' has no effect",
                    assignment.offset,
                    len(assignment.name),
                    perhaps(known_names, assignment.name),
                )

    def atom(self, name: str, quiet: bool = False) -> Atom | None:
        """A single value with its place, or None."""
        setting = self._by_name.get(name)
        if setting is None:
            return None
        atom = setting.atom()
        if atom is None and not quiet:
            self._warn(
                "not-a-value",
                f"{name} is a list but should be a single value; it has no effect",
                setting.value.offset,
            )
        return atom

    def string(self, name: str, quiet: bool = False) -> str | None:
        """The text of a single value, or None."""
        atom = self.atom(name, quiet)
        return None if atom is None else atom.text

    def integer(self, name: str, quiet: bool = False) -> int | None:
        """The number of a single value, or None (xlu_cfg_get_long)."""
        atom = self.atom(name, quiet)
        if atom is None:
            return None
        if self._by_name[name].adds:
            message, hint = "can't use += with numbers", "use = instead"
        else:
            value, end = scan_integer(atom.text)
            if not end or end != len(atom.text):
                message, hint = f"'{atom.text:.40}' is not a valid number", _number_hint(atom.text)
            elif not -LONG_MAX - 1 <= value <= LONG_MAX:
                message, hint = f"{atom.text:.40} is out of range", None
            else:
                return value
        if not quiet:
            self._warn(
                "not-a-number",
                f"{name}: {message}; the setting has no effect",
                atom.offset,
                len(atom.text),
                hint,
            )
        return None

    def boolean(self, name: str, quiet: bool = False) -> bool | None:
        """A number taken as false (0) or true, or None (xlu_cfg_get_defbool)."""
        value = self.integer(name, quiet)
        return None if value is None else value != 0

    def sequence(self, name: str, quiet: bool = False) -> Sequence | None:
        """The list that is the value, or None."""
        setting = self._by_name.get(name)
        if setting is None:
            return None
        if isinstance(setting.value, Sequence):
            return setting.value
        if not quiet:
            self._warn(
                "not-a-list",
                f"{name} is a single value but should be a list; it has no effect",
                setting.value.offset,
                len(setting.value.text),
                f'write {name} = [ "..." ]',
            )
        return None

    def atoms(self, name: str, quiet: bool = False) -> list[Atom] | None:
        """The single values of a list up to the first nested list, where xl stops; None without a list."""
        sequence = self.sequence(name, quiet)
        if sequence is None:
            return None
        found: list[Atom] = []
        for item in sequence.items:
            if isinstance(item, Sequence):
                self._warn(
                    "nested-list",
                    f"{name}: a list inside the list ends it; the rest has no effect",
                    item.offset,
                )
                break
            found.append(item)
        return found

    def texts(self, name: str, quiet: bool = False) -> tuple[str, ...] | None:
        """The texts of ``atoms``."""
        atoms = self.atoms(name, quiet)
        return None if atoms is None else tuple([atom.text for atom in atoms])

    def warn(
        self, code: str, message: str, at: str | Atom | Sequence, hint: str | WordHint | None = None
    ) -> None:
        """Record a warning at a setting (by name) or a value."""
        offset, length = self._place(at)
        self._warn(code, message, offset, length, hint)

    def warn_in(
        self,
        code: str,
        message: str,
        atom: Atom,
        offset: int,
        length: int,
        hint: str | WordHint | None = None,
    ) -> None:
        """Record a warning at a place inside a value."""
        self._warn(code, message, atom.offset + min(offset, len(atom.text)), length, hint)

    def error(
        self,
        message: str,
        at: str | Atom | Sequence,
        hint: str | WordHint | None = None,
        exit_status: int | None = None,
    ) -> SettingError:
        """The error to raise for a setting (by name) or a value."""
        offset, length = self._place(at)
        return self._error("bad-value", offset, length, message, hint, exit_status)

    def spec_error(self, name: str, atom: Atom, error: SpecError) -> SettingError:
        """The error to raise for a spec inside a setting."""
        offset = atom.offset + min(error.offset, len(atom.text))
        message = f"{name}: {error.message}"
        return self._error("bad-spec", offset, error.length, message, error.hint, error.exit_status)

    def unknown_value(
        self, name: str, value: str, known: tuple[str, ...], exit_status: int | None = None
    ) -> SettingError:
        """The error to raise for a word that isn't among those a setting takes."""
        offset, length = self._place(name)
        message = f"{name}: unknown value '{value:.40}'"
        return self._error("unknown-value", offset, length, message, one_of(known, value), exit_status)

    def _place(self, at: str | Atom | Sequence) -> tuple[int, int]:
        value = self._by_name[at].value if isinstance(at, str) else at
        return value.offset, len(value.text) if isinstance(value, Atom) else 1

    def _substitute(self, variables: Mapping[str, str]) -> None:
        """Put the values of variables into the strings of an extended file."""
        from xlpy.config.extended import Substitution

        substitution = Substitution(variables)
        values: list[Atom | Sequence] = [assignment.value for assignment in reversed(self.assignments)]
        while values:
            value = values.pop()
            if isinstance(value, Sequence):
                values += reversed(value.items)
            elif value.quoted and "${" in value.text and self.source.is_extended_at(value.offset):
                value.text = substitution.apply(value.text, value.offset, self._add_variable_error)
        if substitution.unused:
            names = ", ".join([f"'{name:.40}'" for name in substitution.unused])
            self._warn("unused-variable", f"nothing here uses the variable {names}", 0)

    def _store(self, assignment: Assignment) -> None:
        """What xlu__cfg_set_store does; a chain of ``+=`` collects in one place, so that it stays linear."""
        value, previous = assignment.value, self._by_name.get(assignment.name)
        setting = Setting(value, assignment.adds)
        if assignment.adds and previous is not None:
            if isinstance(value, Atom) and isinstance(previous.value, Atom):
                setting.pieces = previous.pieces or [previous.value.text]
                setting.pieces.append(value.text)
            elif isinstance(value, Sequence) and isinstance(previous.value, Sequence):
                joined = Sequence(value.offset)
                joined.items = previous.value.items if previous.joined else list(previous.value.items)
                joined.items.extend(value.items)
                setting.value, setting.joined = joined, True
            else:
                self._add_error(
                    assignment.offset,
                    len(assignment.name),
                    f"{assignment.name}: can't add a list to a single value or the other way round",
                    "write = instead of +=, or the same kind of value in both places",
                )
        self._by_name[assignment.name] = setting

    def _warn(
        self, code: str, message: str, offset: int, length: int = 1, hint: str | WordHint | None = None
    ) -> None:
        if (code, offset) in self._warned or len(self.diagnostics) > _MOST_DIAGNOSTICS:
            return
        self._warned.add((code, offset))
        if len(self.diagnostics) == _MOST_DIAGNOSTICS:
            code, message, hint = "too-many", "further warnings are left out", None
        self.diagnostics.append(
            Diagnostic(
                code=code,
                message=message,
                where=self.source.where(offset),
                hint=hint_text(hint),
                detail=self.source.excerpt(offset, length),
            )
        )

    def _error(
        self,
        code: str,
        offset: int,
        length: int,
        message: str,
        hint: str | WordHint | None,
        exit_status: int | None,
    ) -> SettingError:
        return SettingError(
            code,
            message,
            hint_text(hint),
            detail=self.source.excerpt(offset, length),
            where=self.source.where(offset),
            exit_status=exit_status,
        )

    def _add_error(self, offset: int, length: int, message: str, hint: str | WordHint | None) -> None:
        self._collect("syntax", offset, length, message, hint)

    def _add_variable_error(self, offset: int, length: int, message: str, hint: str | None) -> None:
        self._collect("extended", offset, length, message, hint)

    def _collect(
        self, code: str, offset: int, length: int, message: str, hint: str | WordHint | None
    ) -> None:
        if len(self._errors) <= _SHOWN_ERRORS:
            self._errors.append(self._error(code, offset, length, message, hint, None))


def _joined(errors: list[SettingError]) -> SettingError:
    """The first error; its detail also names the others."""
    first = errors[0]
    others = "".join(f"\n{error}" for error in errors[1:_SHOWN_ERRORS])
    more = "\nand more" if len(errors) > _SHOWN_ERRORS else ""
    return SettingError(
        first.finding,
        first.message,
        first.hint,
        detail=f"{first.detail}{others}{more}",
        where=first.where,
        exit_status=1,
        parts=tuple(errors[:_SHOWN_ERRORS]),
    )


def _number_hint(text: str) -> str:
    if text[-1:] in tuple("kKmMgGtTbB") and scan_integer(text)[1]:
        return "sizes take no unit here; memory is in MiB"
    if text in ("true", "yes", "on"):
        return "write 1"
    if text in ("false", "no", "off"):
        return "write 0"
    return "decimal, 0x... for hexadecimal, a leading 0 for octal"

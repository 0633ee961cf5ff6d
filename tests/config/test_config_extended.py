"""Extended files: include and variables, in files that ask for them, and the plain text that xl can read."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from xlpy.config.diagnostic import SettingError
from xlpy.config.domain import ParsedConfig, parse_domain_config
from xlpy.config.extended import is_extended, parse_variables
from xlpy.errors import ConfigError

FILES = {
    "/etc/xen/common.cfg": 'kernel = "/k"  # ${name} stays: this file is plain\nramdisk = "${name}"\n',
    "/etc/xen/more.cfg": '#xlpy: extended\ninclude "common.cfg"\nmemory = "${memory}"\n',
    "/etc/xen/loop.cfg": '#xlpy: extended\ninclude "loop.cfg"\n',
    "/etc/xen/bad.cfg": "\nmemory = = 1\n",
    "/etc/xen/open.cfg": 'kernel = "/k"',
}


def read_file(path: str) -> bytes:
    if path not in FILES:
        raise ConfigError(f"no file {path}")
    return FILES[path].encode()


def parsed(text: str, variables: Mapping[str, str] | None = None, *overrides: str) -> ParsedConfig:
    return parse_domain_config(
        "#xlpy: extended\n" + text, "/etc/xen/w.cfg", overrides, variables=variables, read_file=read_file
    )


def refusal(text: str, variables: Mapping[str, str] | None = None) -> SettingError:
    with pytest.raises(SettingError) as caught:
        parsed(text, variables)
    return caught.value


def test_a_file_is_extended_if_its_first_line_says_so() -> None:
    assert is_extended("#xlpy: extended\n")
    assert is_extended("#xlpy: extended  \r\n")
    assert not is_extended('name="a"\n#xlpy: extended\n')
    assert not is_extended("#xlpy: extended2\n")


def test_one_file_serves_many_guests() -> None:
    text = 'name = "${name}"\ninclude "common.cfg"\ndisk = ["vdev=xvda, target=/srv/${name}.${kind}"]\n'
    found = parsed(text, {"name": "web1", "kind": "img"})
    assert found.config.c_info.name == "web1"
    assert found.config.disks[0].pdev_path == "/srv/web1.img"
    assert found.config.b_info.kernel == "/k"
    assert found.diagnostics == ()


def test_the_plain_text_is_what_xl_reads_to_the_same_domain() -> None:
    text = 'name = "${name}"  # the name\ninclude "more.cfg"\nuuid="01234567-89ab-cdef-0123-456789abcdef"\n'
    found = parsed(text, {"name": 'q"1', "memory": "64"}, "vcpus=1")
    assert found.source == (
        'name = \'q"1\'  # the name\n#xlpy: extended\nkernel = "/k"  # ${name} stays: this file is plain\n'
        'ramdisk = "${name}"\nmemory = "64"\nuuid="01234567-89ab-cdef-0123-456789abcdef"\n\nvcpus=1\n'
    )
    again = parse_domain_config(found.source, "plain.cfg")
    assert again.config == found.config


def test_variables_count_only_where_the_file_is_extended() -> None:
    found = parsed('name = "n"\ninclude "common.cfg"\n')
    assert found.config.b_info.ramdisk == "${name}"


def test_two_dollars_make_one() -> None:
    assert parsed('name = "$${x} $y ${x}"\nkernel="/k"\n', {"x": "1"}).config.c_info.name == "${x} $y 1"


def test_a_variable_is_not_looked_for_in_a_value() -> None:
    assert parsed('name = "${x}"\nkernel="/k"\n', {"x": "${y}"}).config.c_info.name == "${y}"


def test_overrides_are_taken_as_they_are() -> None:
    assert parsed('kernel="/k"\n', {}, 'name="${x}"').config.c_info.name == "${x}"


def test_a_variable_without_a_value() -> None:
    error = refusal('kernel="/k"\nname = "a ${nme}"\n', {"name": "x"})
    assert (str(error), error.hint) == ("/etc/xen/w.cfg:3:11: no value for 'nme'", "give it by --set nme=...")
    assert error.detail == 'name = "a ${nme}"\n          ^^^^^^'


def test_what_is_no_name_of_a_variable() -> None:
    error = refusal('name = "${a b}"\n')
    assert (error.message, error.hint) == ("'a b' is no name", "a name is letters, digits and _")


def test_an_unused_variable_is_warned_about() -> None:
    (diagnostic,) = parsed('name="n"\nkernel="/k"\n', {"a": "1", "b": "2"}).diagnostics
    assert diagnostic.code == "unused-variable"
    assert diagnostic.message == "nothing here uses the variable 'a', 'b'"


def test_places_are_those_of_the_files() -> None:
    error = refusal('include "common.cfg"\n\ninclude "bad.cfg"\n')
    assert error.where == "/etc/xen/bad.cfg:2:10"
    error = refusal('include "common.cfg"\ninclude "common.cfg"\nname = 1 1\n')
    assert error.where == "/etc/xen/w.cfg:4:10"


def test_an_included_file_needs_no_newline_at_its_end() -> None:
    assert parsed('include "open.cfg"\nname="n"\n').config.b_info.kernel == "/k"


@pytest.mark.parametrize(
    ("text", "message", "where"),
    [
        ('name="n"\n  include "none.cfg"  # x\n', "no file /etc/xen/none.cfg", "/etc/xen/w.cfg:3:12"),
        ('include "loop.cfg"\n', "/etc/xen/loop.cfg includes itself", "/etc/xen/loop.cfg:2:10"),
        ('include "w.cfg"\n', "/etc/xen/w.cfg includes itself", "/etc/xen/w.cfg:2:10"),
    ],
)
def test_what_cannot_be_included(text: str, message: str, where: str) -> None:
    error = refusal(text)
    assert (error.finding, error.message, error.where) == ("extended", message, where)
    assert "^" in (error.detail or "")


def test_a_few_lines_cannot_stand_for_gigabytes() -> None:
    def bomb(path: str) -> bytes:
        number = int(path) + 1
        return (f'#xlpy: extended\ninclude "{number}"\ninclude "{number}"\n' if number < 15 else "").encode()

    with pytest.raises(SettingError, match="too much is included"):
        parse_domain_config('#xlpy: extended\ninclude "1"\n', "0", read_file=bomb)


def test_files_are_not_included_without_end() -> None:
    def endless(path: str) -> bytes:
        return f'#xlpy: extended\ninclude "{int(path) + 1}"\n'.encode()

    with pytest.raises(SettingError, match="more than 20 deep"):
        parse_domain_config('#xlpy: extended\ninclude "1"\n', "0", read_file=endless)


def test_without_a_reader_nothing_is_included() -> None:
    with pytest.raises(SettingError, match="files can't be included here"):
        parse_domain_config('#xlpy: extended\ninclude "x"\n', "f")


def test_include_is_nothing_to_a_plain_file() -> None:
    with pytest.raises(SettingError, match="expected '=' or"):
        parse_domain_config('include "common.cfg"\n', "f", read_file=read_file)


def test_variables_need_an_extended_file() -> None:
    with pytest.raises(SettingError) as caught:
        parse_domain_config('name="n"\nkernel="/k"\n', "f", variables={"a": "1"})
    assert str(caught.value) == "f: variables are for extended files only"


def test_values_on_the_command_line() -> None:
    assert parse_variables(["a=1", "b_2=x=y", "a="]) == {"a": "", "b_2": "x=y"}


@pytest.mark.parametrize("word", ["a", "=1", "a b=1", "2a=1", "é=1"])
def test_what_sets_no_variable(word: str) -> None:
    with pytest.raises(ConfigError, match="sets no variable"):
        parse_variables([word])

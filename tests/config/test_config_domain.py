"""From text to DomainConfig: order of errors, overrides, types, bytes, the host, odd files."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from parsing import HVM, PV, config, diagnostics, error
from test_config_lexer import config_text

from xlpy.config.domain import ParsedConfig, parse_domain_config
from xlpy.config.draft import HostFacts
from xlpy.config.keys import known_names
from xlpy.config.xlconf import XlConf
from xlpy.errors import ConfigError, XlError
from xlpy.model.domain import ActionOnShutdown, DomainType
from xlpy.model.host import CpuTopology, HostInfo

UUID = "01234567-89ab-cdef-0123-456789abcdef"


def test_a_usual_config() -> None:
    found = config(
        'type = "pvh"\nname = "web"\nkernel = "/boot/vmlinuz"\nmemory = 512\nmaxmem = 1024\nvcpus = 2\n'
        'disk = [ "/x,raw,xvda,w" ]\nvif = [ "bridge=br0" ]\non_crash = "preserve"\n'
    )
    assert (found.c_info.name, found.c_info.type) == ("web", DomainType.PVH)
    assert (found.b_info.target_memkb, found.b_info.max_memkb) == (524288, 1048576)
    assert found.b_info.pvh is not None
    assert (found.b_info.pv, found.b_info.hvm) == (None, None)
    assert (found.on_crash, found.on_reboot) == (ActionOnShutdown.PRESERVE, ActionOnShutdown.RESTART)
    assert (found.disks[0].vdev, found.nics[0].bridge) == ("xvda", "br0")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", DomainType.PV),
        ("type='pv'", DomainType.PV),
        ("type='pvh'", DomainType.PVH),
        ("type='hvm'", DomainType.HVM),
        ("type=''", DomainType.HVM),
        ("type='h'", DomainType.HVM),
        ("type='p'", DomainType.PV),
        ("builder='hvm'", DomainType.HVM),
        ("builder='generic'", DomainType.PV),
    ],
)
def test_types(text: str, expected: DomainType) -> None:
    assert config(PV + text + "\n").c_info.type == expected


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("", "the config has no name", 'add name = "..."'),
        ("name='n'\n", "neither kernel nor bootloader is given", 'add kernel = "..."'),
        ("name='n'\ntype='hmv'\n", "type: unknown value 'hmv'", "did you mean 'hvm'?"),
        ("name='n'\ntype='PV'\n", "type: unknown value 'PV'", "one of pv pvh hvm"),
        ("name='n'\nbuilder='linux'\n", "builder: unknown value 'linux'", "one of hvm generic"),
        ("name='n'\ntype='pv'\nbuilder='hvm'\n", 'builder="hvm" contradicts type="pv"', "leave builder out"),
        ("name='n'\nuuid='x'\n", "uuid: 'x' is no UUID", "write it as"),
        (PV + "on_crash='presreve'\n", "on_crash: unknown value 'presreve'", "did you mean 'preserve'?"),
    ],
)
def test_errors_say_what_to_try(text: str, message: str, hint: str) -> None:
    refused = error(text)
    assert (refused.message, refused.exit_status) == (message, 1)
    assert (refused.hint or "").startswith(hint)


def test_the_first_error_is_the_first_in_xls_order_not_in_the_files() -> None:
    assert error("disk=['x']\non_crash='x'\nuuid='x'\nname='n'\n").message.startswith("uuid")


def test_the_uuid_is_kept_or_made_up() -> None:
    assert config(PV + f"uuid='{UUID.upper()}'\n").c_info.uuid == UUID
    first, second = config(PV).c_info.uuid, config(PV).c_info.uuid
    assert first is not None
    assert first != second
    assert (first[14], first[19] in "89ab") == ("4", True)


def test_an_action_for_every_way_to_end() -> None:
    found = config(
        PV + "on_poweroff='restart'\non_reboot='destroy'\non_watchdog='coredump-restart'\n"
        "on_crash='rename-restart'\non_soft_reset='preserve'\n"
    )
    assert (found.on_poweroff, found.on_reboot) == (ActionOnShutdown.RESTART, ActionOnShutdown.DESTROY)
    assert found.on_watchdog == ActionOnShutdown.COREDUMP_RESTART
    assert (found.on_crash, found.on_soft_reset) == (
        ActionOnShutdown.RESTART_RENAME,
        ActionOnShutdown.PRESERVE,
    )


def test_labels() -> None:
    one = config(PV + "seclabel='a'\n")
    both = config(PV + "seclabel='a'\ninit_seclabel='i'\n")
    assert (one.c_info.ssid_label, one.b_info.exec_ssid_label) == ("a", None)
    assert (both.c_info.ssid_label, both.b_info.exec_ssid_label) == ("i", "a")


def test_xenstore_quota() -> None:
    quotas = config(PV + "xenstore_quota=['nodes=0x10','watches=5']\n").b_info.xenstore_quota
    assert [(quota.name, quota.val) for quota in quotas] == [("nodes", 16), ("watches", 5)]


def test_overrides_come_last_and_may_add() -> None:
    found = config(PV + "memory=64\nextra='a'", "memory=128;vcpus=2", "extra+=' b'")
    assert (found.b_info.target_memkb, found.b_info.max_vcpus, found.b_info.cmdline) == (131072, 2, "a b")


def test_an_override_ends_a_comment_on_the_last_line() -> None:
    assert error(PV + "memory=64 # end").message.startswith("a comment on the last line")
    assert config(PV + "memory=64 # end", "vcpus=1").b_info.target_memkb == 65536


def test_errors_in_overrides_name_the_command_line() -> None:
    assert error(PV, "memory=64", "vcpus=@").where == "command line:1:7"
    assert diagnostics(PV, "memroy=64")[0].where == "command line:1:1"


def test_the_source_is_what_xl_would_keep() -> None:
    assert parse_domain_config("name='n'\n" + PV, "f", ("a=1",)).source == "name='n'\n" + PV + "\na=1\n"


@pytest.mark.parametrize(
    ("text", "vnc", "frames"),
    [
        (PV + "vnc=1\nvnclisten='::'\nkeymap='de'\nsdl=0\n", None, 1),
        (PV + "vnc=0\n", None, 0),
        (PV + "vnc=1\nvfb=['']\n", None, 1),
        (
            HVM + "vnc=1\nvncdisplay=3\nvncpasswd=''\nvncunused=0\nopengl=1\ndisplay=':0'\nxauthority='x'\n",
            True,
            0,
        ),
    ],
)
def test_screens(text: str, vnc: bool | None, frames: int) -> None:
    found = config(text)
    assert len(found.vfbs) == len(found.vkbs) == frames
    assert (found.b_info.hvm.vnc.enable if found.b_info.hvm else None) == vnc


def test_bytes_that_are_no_utf8_survive() -> None:
    found = parse_domain_config(b"name='l'\nkernel='/k'\nextra='\xe9'\n", "f").config
    assert (found.b_info.cmdline or "").encode("utf-8", "surrogateescape") == b"\xe9"


def test_the_host_is_asked_only_when_it_matters() -> None:
    asked: list[bool] = []

    def host() -> HostFacts:
        asked.append(True)
        return HostFacts(nr_cpus=4, max_cpu_id=3)

    parse_domain_config(PV + "vcpus=2\n", "f", host=host)
    assert asked == []
    parse_domain_config(PV + "vcpus=2\ncpus='0-1'\ncpus_soft='all'\n", "f", host=host)
    assert asked == [True]


def test_without_a_host_a_config_that_needs_one_is_refused() -> None:
    with pytest.raises(XlError, match="no host is known"):
        parse_domain_config(PV + "vcpus=1\ncpus='0'\n", "f")


def test_host_facts_from_what_an_engine_says() -> None:
    info = HostInfo(
        engine="e", host="h", release="r", version="v", machine="m", nr_cpus=3, max_cpu_id=3, nr_nodes=2,
        cores_per_socket=1, threads_per_core=1, cpu_khz=1, hw_caps="", virt_caps="", total_memory_kib=1,
        free_memory_kib=1,
    )  # fmt: skip
    topology = tuple([CpuTopology(cpu=cpu, core=0, socket=0, node=cpu // 2) for cpu in (0, 1, 3)])
    facts = HostFacts.of(info, topology)
    assert (facts.cpus_of_node(0), facts.cpus_of_node(1), facts.cpus_of_node(2)) == ((0, 1, 2), (3,), ())
    assert HostFacts.of(info).cpus_of_node(0) == (0, 1, 2, 3)


def test_what_xl_conf_says_for_all() -> None:
    conf = XlConf(
        run_hotplug_scripts=False,
        claim_mode=False,
        blkdev_start="xvdb",
        max_grant_frames=7,
        bootloader_restrict=True,
    )
    found = config(PV + "max_maptrack_frames=3\n", conf=conf)
    assert (found.c_info.run_hotplug_scripts, found.b_info.claim_mode) == (False, False)
    assert (found.b_info.blkdev_start, found.b_info.bootloader_restrict) == ("xvdb", True)
    assert (found.b_info.max_grant_frames, found.b_info.max_maptrack_frames) == (7, 3)


@pytest.mark.parametrize(
    "text",
    [
        "name='n'\r\n",
        "\ufeffname='n'\n",
        "name='n\x00'\n",
        "name=\x00",
        "name='n",
        "def f():\n  pass\n",
        "name = 'a' + 'b'\n",
        "vif = ('a', 'b')\n",
        "x" * 1_000_000,
        "a='" + "x" * 1_000_000,
        "[" * 100_000,
        "a=[" + "'x'," * 100_000,
        "\n" * 100_000 + "!",
        "a=1\n" * 100_000,
        "a" * 999 + "=1;" + "b1=@;" * 100_000,
    ],
    ids=range(15),
)
def test_odd_files_are_refused_in_words(text: str) -> None:
    refused = error(text)
    assert refused.message
    assert len(str(refused)) < 300
    assert len(refused.detail or "") < 5000


def parsed_or_refused(text: str) -> ParsedConfig | ConfigError:
    try:
        return parse_domain_config(text, "f", host=HostFacts(nr_cpus=2, max_cpu_id=1))
    except ConfigError as refused:
        return refused


@given(config_text)
def test_nothing_but_a_config_error_comes_out(text: str) -> None:
    found = parsed_or_refused(PV + text)
    if isinstance(found, ConfigError):
        assert found.where is not None


plain_values = st.recursive(
    st.one_of(
        st.sampled_from(
            ["1", "0", "-1", "64", "x", "", "all", "host,tm=0", "a=b", "a=b,c=d", "0-1", "backend=d", "pty"]
        ),
        st.text(max_size=6),
    ),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=5,
)


def written(value: object) -> str:
    if isinstance(value, list):
        return "[" + ",".join(written(item) for item in value) + "]"
    return "'" + "".join(c for c in str(value) if c not in "\n'\\") + "'"


@given(
    st.sampled_from(["pv", "pvh", "hvm"]),
    st.lists(
        st.tuples(st.sampled_from(known_names()), st.sampled_from(["=", "+="]), plain_values), max_size=4
    ),
)
def test_any_value_of_any_setting_is_read_or_refused(
    kind: str, settings: list[tuple[str, str, object]]
) -> None:
    lines = [f"{name}{operator}{written(value)}\n" for name, operator, value in settings]
    found = parsed_or_refused(PV + f"type='{kind}'\n" + "".join(lines))
    if isinstance(found, ConfigError):
        assert found.exit_status in (1, 3, 6)
        assert found.where is not None

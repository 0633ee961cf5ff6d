"""xl.conf: what it says counts for pinning, new domains and network cards."""

from __future__ import annotations

from pathlib import Path

import pytest
from command_line import Call
from fake_engine import FakeEngine
from recorded import GPV, GPVH, populate
from source_tree import ROOT

from xlpy.cli import xl_conf
from xlpy.model.domain import DomainType


@pytest.fixture
def conf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fake: FakeEngine) -> Path:
    """Where xl.conf is; tests write it. The host has four pcpus and the domains gpv and gpvh."""
    path = tmp_path / "xl.conf"
    monkeypatch.setattr(xl_conf, "PATH", str(path))
    populate(fake, GPV, GPVH.replace(domain_type=DomainType.PVH))
    return path


def hard_affinity(fake: FakeEngine, domid: int) -> tuple[int, ...] | None:
    return fake.list_vcpus(domid)[0].hard_affinity


def test_pinning_stays_within_the_masks(conf: Path, call: Call, fake: FakeEngine) -> None:
    conf.write_text('vm.cpumask="0-2"\nvm.pv.cpumask="1-3"\nvm.hvm.cpumask="2"\n')
    assert call("vcpu-pin", "gpv", "all", "all").status == 0
    assert hard_affinity(fake, GPV.domid) == (1, 2)
    assert call("vcpu-pin", "gpvh", "all", "all").status == 0
    assert hard_affinity(fake, GPVH.domid) == (2,)


def test_the_masks_can_be_ignored(conf: Path, call: Call, fake: FakeEngine) -> None:
    conf.write_text('vm.cpumask="0"\n')
    assert call("vcpu-pin", "--ignore-global-affinity-masks", "gpv", "all", "3").status == 0
    assert hard_affinity(fake, GPV.domid) == (3,)


def test_a_pinning_that_the_masks_leave_nothing_of(conf: Path, call: Call, fake: FakeEngine) -> None:
    conf.write_text('vm.cpumask="0"\n')
    result = call("vcpu-pin", "gpv", "all", "3")
    assert (result.status, result.err.splitlines()[0]) == (1, "xlpy: vcpu hard affinity map is empty")
    assert hard_affinity(fake, GPV.domid) is None


def test_network_cards_get_the_default_bridge(conf: Path, call: Call, fake: FakeEngine) -> None:
    conf.write_text('vif.default.bridge="br7"\n')
    assert call("network-attach", "gpv").status == 0
    assert fake.list_nics(GPV.domid)[0].bridge == "br7"


def test_new_domains_heed_the_masks(conf: Path, call: Call, tmp_path: Path) -> None:
    config = tmp_path / "d.cfg"
    config.write_text('name="d"\ntype="pvh"\nkernel="/k"\nmemory=32\nvcpus=1\n')
    conf.write_text('vm.cpumask="1"\n')
    assert '"vcpu_hard_affinity"' in call("create", "-n", str(config)).out
    assert '"vcpu_hard_affinity"' not in call("create", "-n", "-i", str(config)).out


def test_no_xl_conf_is_fine(conf: Path, call: Call) -> None:
    result = call("vcpu-pin", "gpv", "all", "all")
    assert (result.status, result.err) == (0, "")


def test_what_cannot_be_parsed_is_fatal(conf: Path, call: Call) -> None:
    conf.write_text('vm.cpumask="0\n')
    result = call("network-attach", "gpv")
    assert result.status == 1
    assert str(conf) in result.err


@pytest.mark.parametrize("name", ["pv", "pv2", "hvm", "hvm2"])
def test_a_config_as_an_s_expression_as_recorded(name: str, conf: Path, xl: Call, call: Call) -> None:
    conf.write_text('output_format="sxp"\n')
    file = ROOT / f"tests/data/sxp/{name}.cfg"
    assert xl("create", "-n", str(file)).out == file.with_suffix(".sxp").read_text()
    assert call("create", "-n", str(file), "-o", "json").out.startswith("{")


def test_domains_as_s_expressions(conf: Path, xl: Call, call: Call, fake: FakeEngine, tmp_path: Path) -> None:
    conf.write_text('output_format="sxp"\n')
    (tmp_path / "web.cfg").write_text('name = "web"\ntype = "pv"\nmemory = 32\nkernel = "k"\n')
    said = xl("create", "-d", str(tmp_path / "web.cfg")).err
    assert "\n(domain\n\t(domid -1)\n" in said
    domain = fake.find_domain("web")
    lines = xl("list", "-l", "web").out.splitlines()
    assert lines[:2] == ["(domain", f"\t(domid {domain.domid})"]
    assert f"\t(uuid {domain.uuid})" in lines
    assert call("list", "-l", "web", "-o", "json").out.startswith("{")


def test_pvh_has_no_s_expression(conf: Path, xl: Call, tmp_path: Path) -> None:
    conf.write_text('output_format="sxp"\n')
    (tmp_path / "web.cfg").write_text('name = "web"\ntype = "pvh"\nmemory = 32\nkernel = "k"\n')
    result = xl("create", "-n", str(tmp_path / "web.cfg"))
    assert (result.status, result.out) == (1, "")
    assert "Unknown domain type 3" in result.err

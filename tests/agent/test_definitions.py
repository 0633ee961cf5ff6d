"""Managed domains: what is remembered, its versions, and the start with the host."""

from __future__ import annotations

from pathlib import Path

import pytest
from eventually import eventually
from fake_engine import FakeEngine
from in_process import InProcessHost
from sample_configs import tiny

from xlpy.agent import definitions as definitions_module
from xlpy.client.host import Host
from xlpy.errors import ConfigError, DomainExists, DomainNotFound, EngineError, InvalidState
from xlpy.model.domain_config import NicConfig

UUID = "11111111-2222-3333-4444-555555555555"


def names(host: Host) -> list[str]:
    return [defined.name for defined in host.list_definitions()]


def test_a_domain_is_remembered_with_a_uuid_and_macs_of_its_own(host: Host) -> None:
    defined = host.define_domain(
        tiny("web", nics=(NicConfig(), NicConfig(mac="00:16:3e:00:00:01"))), "name='web'"
    )
    assert (defined.name, defined.version, defined.autostart_order) == ("web", 1, None)
    config = host.domain_definition("web").config
    assert config.c_info.uuid == defined.uuid
    assert config.nics[0].mac is not None
    assert config.nics[1].mac == "00:16:3e:00:00:01"
    again = host.define_domain(tiny("web", nics=(NicConfig(),)), "name='web' # again")
    assert (again.version, again.uuid) == (2, defined.uuid)
    assert host.domain_definition("web").config.nics[0].mac == config.nics[0].mac
    assert host.domain_definition("web").config_text == "name='web' # again"
    assert host.domain_definition("web", 1).config_text == "name='web'"
    assert [(each.version, each.text_bytes) for each in host.definition_versions("web")] == [(1, 10), (2, 18)]


def test_it_survives_a_new_xlpyd(tmp_path: Path) -> None:
    first = InProcessHost(FakeEngine(), tmp_path)
    first.connect().define_domain(tiny("web"), "text with \udcff", "/some/where")
    first.connect().set_autostart("web", 3, 1.5)
    first.kill()
    first.close()
    second = InProcessHost(FakeEngine(), tmp_path)
    (defined,) = second.connect().list_definitions()
    assert (defined.name, defined.autostart_order, defined.autostart_delay_s) == ("web", 3, 1.5)
    kept = second.connect().domain_definition("web")
    assert (kept.config_text, kept.directory) == ("text with \udcff", "/some/where")
    second.close()


def test_a_change_on_top_of_an_older_version_is_refused(host: Host) -> None:
    host.define_domain(tiny("web"))
    host.define_domain(tiny("web"), base_version=1)
    with pytest.raises(InvalidState, match="changed meanwhile"):
        host.define_domain(tiny("web"), base_version=1)
    assert len(host.definition_versions("web")) == 2


def test_names_and_uuids_are_unique(host: Host) -> None:
    host.define_domain(tiny("web", uuid=UUID))
    with pytest.raises(DomainExists, match="'web' has the uuid"):
        host.define_domain(tiny("other", uuid=UUID))
    with pytest.raises(ConfigError):
        host.define_domain(tiny(""))
    with pytest.raises(ConfigError, match="UTF-8"):
        host.define_domain(tiny("caf\udce9"))
    assert names(host) == ["web"]


def test_unknown_names_and_versions(host: Host) -> None:
    host.define_domain(tiny("web1"))
    for call in (host.domain_definition, host.definition_versions, host.undefine_domain):
        with pytest.raises(DomainNotFound) as caught:
            call("web")
        assert caught.value.hint == "did you mean web1?"
    with pytest.raises(DomainNotFound):
        host.set_autostart("web", 1)
    with pytest.raises(InvalidState, match="no version 7"):
        host.domain_definition("web1", 7)


def test_undefine_leaves_a_running_domain_alone(host: Host) -> None:
    host.define_domain(tiny("web"))
    domid = host.create_domain(host.domain_definition("web").config)
    host.undefine_domain("web")
    assert names(host) == []
    assert host.domain_info(domid).running


def test_only_so_many_versions_are_kept(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(definitions_module, "VERSIONS_KEPT", 3)
    for _ in range(5):
        host.define_domain(tiny("web"))
    assert [each.version for each in host.definition_versions("web")] == [3, 4, 5]


def test_what_is_done_is_written_down(host: Host) -> None:
    host.define_domain(tiny("web"))
    host.set_autostart("web", 1)
    host.undefine_domain("web")
    assert [(event.what, event.name, event.domid) for event in host.list_events()][-3:] == [
        ("define-domain", "web", None),
        ("set-autostart", "web", None),
        ("undefine-domain", "web", None),
    ]


def test_they_start_with_the_host_in_their_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    boot_id = tmp_path / "boot_id"
    boot_id.write_text("one\n")
    monkeypatch.setattr("xlpy.agent.adoption._BOOT_ID", str(boot_id))
    first = InProcessHost(FakeEngine(), tmp_path / "state")
    host = first.connect()
    for name, order in (("late", 20), ("early", 10), ("broken", 15), ("never", None)):
        host.define_domain(tiny(name))
        host.set_autostart(name, order, 0.01 if order else 0.0)
    first.kill()
    first.close()

    same_boot = InProcessHost(FakeEngine(), tmp_path / "state")
    assert len(same_boot.connect().list_domains()) == 1
    same_boot.kill()
    same_boot.close()

    boot_id.write_text("two\n")
    engine = FakeEngine()

    def refuse_broken(config: object, *rest: object, **more: object) -> object:
        if config.c_info.name == "broken":  # type: ignore[attr-defined]
            raise EngineError("it does not start")
        return create(config, *rest, **more)

    create = engine.create_domain
    monkeypatch.setattr(engine, "create_domain", refuse_broken)
    second = InProcessHost(engine, tmp_path / "state")
    host = second.connect()

    def started() -> list[tuple[str | None, str]]:
        return [(event.name, event.result) for event in host.list_events() if event.what == "autostart"]

    eventually(lambda: len(started()) == 3)
    assert started() == [("early", "ok"), ("broken", "engine"), ("late", "ok")]
    assert [info.name for info in host.list_domains()] == ["Domain-0", "early", "late"]
    second.close()

"""migrate to a host that has xl alone, migrate-receive and remus: what is run, and what is refused."""

from __future__ import annotations

import pytest
from command_line import Call
from fake_engine import FakeEngine
from recorded import GUESTS, populate

from xlpy.cli.migrate_xl import rune_of
from xlpy.cli.session import Session
from xlpy.client.direct import ssh_words
from xlpy.inventory.entry import HostEntry

RECEIVE = "xl migrate-receive"


@pytest.fixture(autouse=True)
def guests(fake: FakeEngine) -> None:
    populate(fake, *GUESTS)


@pytest.mark.parametrize(
    ("program", "rune"),
    [
        ("", "xen2"),
        ("ssh -p 22", "exec ssh -p 22 xen2 xl migrate-receive"),
        (None, "exec ssh -- xen2 xl migrate-receive"),
    ],
)
def test_rune_as_xl_makes_it(program: str | None, rune: str) -> None:
    assert rune_of(Session("xl"), program, "xen2", RECEIVE) == rune


def test_ssh_gets_what_the_inventory_says() -> None:
    entry = HostEntry(
        name="xen2", address="10.0.0.2", user="root", port=2222, identity_file="~/key", proxy_jump="bastion"
    )
    words = ("ssh", "-p", "2222", "-i", "~/key", "-J", "bastion", "--", "root@10.0.0.2")
    assert ssh_words(entry) == words


def test_this_machine_needs_no_ssh() -> None:
    assert rune_of(Session("xlpy"), None, "local", RECEIVE) == "exec xl migrate-receive"


@pytest.mark.parametrize("option", ["--with-disks", "--check", "--direct"])
def test_what_needs_xlpy_there(option: str, call: Call) -> None:
    said = call("migrate", "--xl", option, "gpv", "xen2")
    assert said.status == 2
    assert f"{option} needs an xlpy on the other host" in said.err


class TestReceive:
    def test_surplus(self, call: Call, xl: Call) -> None:
        assert call("migrate-receive", "what").status == 2
        assert xl("migrate-receive", "what").status == 1


class TestRemus:
    def test_engine_that_cannot(self, call: Call) -> None:
        said = call("remus", "-b", "-F", "gpv", "nowhere")
        assert said.status == 1
        assert "the fake engine cannot replicate a domain (Remus)" in said.err

    def test_host_is_needed(self, call: Call) -> None:
        assert call("remus", "gpv").status == 2

    @pytest.mark.parametrize("words", [["-i", "0"], ["-i", "soon"]])
    def test_interval(self, words: list[str], call: Call) -> None:
        assert call("remus", *words, "gpv", "xen2").status == 2

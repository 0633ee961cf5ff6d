"""xl's migration protocol with a real xl on a real Xen: it migrates to us, and we to it; what fails leaves one running."""

from __future__ import annotations

import pytest
from eventually import eventually
from xen_dom0 import PATIENCE_S, XLPY, Dom0

pytestmark = pytest.mark.xen

# less than a domain's memory, more than what goes ahead of it
HALF_A_STREAM = "head -c 30000000"


def kind(dom0: Dom0) -> str:
    """The type of domain that this Xen moves live and that boots soonest."""
    return "pv" if "shadow" in dom0.xl("info") else "pvh"


def state(dom0: Dom0, name: str) -> str:
    """Its state, as xl prints it."""
    return dom0.xl("list", name).splitlines()[1].split()[4]


class TestFromXl:
    def test_xl_migrates_to_us(self, dom0: Dom0) -> None:
        dom0.xl("create", dom0.config("web", kind(dom0)))
        dom0.host.wait_for_console("web", "guest up", PATIENCE_S)
        before = dom0.xl("domid", "web")
        said = dom0.xl("migrate", "-s", "", "web", f"{XLPY} migrate-receive")
        assert "migration sender: Target reports successful startup." in said
        assert dom0.names() == {"Domain-0", "web"}
        assert dom0.xl("domid", "web") != before
        # the guest lives, and xlpyd has the domain
        assert "accept-restored" in dom0.xlpy("events")
        dom0.xlpy("shutdown", "-w", "web")
        eventually(lambda: dom0.names() == {"Domain-0"}, PATIENCE_S)

    def test_paused_there(self, dom0: Dom0) -> None:
        dom0.xl("create", dom0.config("db", kind(dom0)))
        dom0.host.wait_for_console("db", "guest up", PATIENCE_S)
        dom0.xl("migrate", "-s", "", "db", f"{XLPY} migrate-receive -p")
        assert state(dom0, "db") == "--p---"
        dom0.xl("unpause", "db")
        dom0.xl("shutdown", "-w", "db")
        eventually(lambda: dom0.names() == {"Domain-0"}, PATIENCE_S)

    def test_source_goes_on_when_half_of_it_arrives(self, dom0: Dom0) -> None:
        dom0.xl("create", dom0.config("app", kind(dom0)))
        dom0.host.wait_for_console("app", "guest up", PATIENCE_S)
        said = dom0.xl("migrate", "-s", "", "app", f"{HALF_A_STREAM} | {XLPY} migrate-receive", check=False)
        assert "Migration failed, resuming at sender." in said
        assert dom0.names() == {"Domain-0", "app"}
        assert "s" not in state(dom0, "app")
        dom0.xl("shutdown", "-w", "app")
        eventually(lambda: dom0.names() == {"Domain-0"}, PATIENCE_S)
        assert "[]" in dom0.xlpy("-o", "json", "migrate", "--list")


class TestToXl:
    def test_what_fails_leaves_it_running_and_then_it_moves(self, dom0: Dom0) -> None:
        dom0.xlpy("create", dom0.config("web", kind(dom0)))
        dom0.host.wait_for_console("web", "guest up", PATIENCE_S)
        for rune, words in (
            ("echo no such thing >&2; false", "no xl receives a domain at"),
            (f"{HALF_A_STREAM} | xl migrate-receive", "the domain runs on at"),
        ):
            said = dom0.xlpy("migrate", "-s", "", "web", rune, check=False)
            assert words in said
            eventually(lambda: dom0.names() == {"Domain-0", "web"}, PATIENCE_S)
            assert "s" not in state(dom0, "web")
        before = dom0.xl("domid", "web")
        dom0.xlpy("migrate", "-s", "", "web", "xl migrate-receive")
        assert dom0.names() == {"Domain-0", "web"}
        assert dom0.xl("domid", "web") != before
        assert dom0.xlpy("migrate", "--list").strip().count("\n") == 0
        dom0.xl("shutdown", "-w", "web")
        eventually(lambda: dom0.names() == {"Domain-0"}, PATIENCE_S)

    def test_remus_keeps_a_copy_that_goes_on(self, dom0: Dom0) -> None:
        if kind(dom0) == "pvh":
            pytest.skip("a PV domain's checkpoints need shadow paging, and libxl has none of a PVH domain's")
        dom0.xlpy("create", dom0.config("kept"))
        dom0.host.wait_for_console("kept", "guest up", PATIENCE_S)
        first = dom0.xl("domid", "kept")
        dom0.host.sh(
            f"{XLPY} -v remus -i 500 -F -n -d -s '' kept 'xl migrate-receive -r' >/run/remus 2>&1 </dev/null &"
        )
        eventually(lambda: "kept--incoming" in dom0.xl("list"), timeout_s=PATIENCE_S)
        eventually(
            lambda: int(dom0.xl("list", "kept--incoming").split("\n")[1].split()[2]) > 100,
            timeout_s=PATIENCE_S,
        )
        dom0.xlpy("destroy", "kept")
        eventually(lambda: dom0.xl("domid", "kept", check=False) not in ("", first), timeout_s=PATIENCE_S)
        # libxl may take a minute to notice
        eventually(
            lambda: "Remus: Primary domain has been destroyed." in dom0.host.sh("cat /run/remus"),
            timeout_s=PATIENCE_S,
        )
        dom0.xl("destroy", "kept")

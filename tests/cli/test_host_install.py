"""host install and uninstall on real hosts: what is there afterwards, what goes on all the while, what is left."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from ssh_hosts import IS_ROOT, SshLab, ssh_hosts

from xlpy.agent.installation import installation_here
from xlpy.agent.service import UNIT_TEXT, unit_text
from xlpy.errors import UsageError

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.skipif(not IS_ROOT, reason="needs hosts whose /usr/local is their own")

# Does what systemctl is asked for, as far as that matters, and notes it.
SYSTEMCTL = """#!/bin/sh
echo "$@" >>/run/systemctl.log
case "$1" in restart) exec /usr/local/bin/xlpyd;; esac
"""


# Makes a domain that stays paused, so that QEMU and no kernel is needed.
CREATE = """
import sys
from xlpy.client.host import connect
from xlpy.model.domain_config import DomainBuildInfo, DomainConfig, DomainCreateInfo
config = DomainConfig(
    c_info=DomainCreateInfo(type="hvm", name="web"),
    b_info=DomainBuildInfo(max_memkb=65536, target_memkb=65536, max_vcpus=1),
)
host = connect("unix://" + sys.argv[1])
host.create_domain(config, paused=True)
host.close()
"""


STRANGE = """
import sys
sys.path.insert(0, sys.argv.pop(1))
import xlpy.protocol.messages
xlpy.protocol.messages.PROTOCOL_VERSION = 999
from xlpy.agent.xlpyd import main
sys.exit(main())
"""


class Desk:
    """A user's machine, and one host whose /usr/local and services are its own."""

    def __init__(self, lab: SshLab) -> None:
        self.lab = lab
        (self.host,) = lab.add()
        inside = ["nsenter", "--mount", "--target", str(self.host.sshd_pid)]
        for place in ("/usr/local", "/etc/systemd"):
            self._run(*inside, "mount", "-t", "tmpfs", "tmpfs", place)

    def xlpy(self, *words: str, status: int = 0) -> str:
        """Run xlpy against the host; what it said."""
        done = subprocess.run(
            [sys.executable, "-m", "xlpy", *words],
            cwd=ROOT,
            env={**self.lab.environ, "XLPY_BROKER": "no", "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == status, done.stderr
        return done.stdout + done.stderr

    def there(self, *argv: str) -> str:
        """What a program on the host prints."""
        return self._run("nsenter", "--mount", "--pid", "--target", str(self.host.sshd_pid), *argv)

    def set_places(self, **places: str) -> None:
        """Have the inventory say where xlpyd is."""
        text = self.lab.inventory.read_text()
        settings = "".join(f", {name}: '{place}'" for name, place in places.items())
        self.lab.inventory.write_text(text.replace("user: root}", f"user: root{settings}}}"))
        assert settings in self.lab.inventory.read_text()

    def start_strange_xlpyd(self) -> None:
        """One of a version that speaks another protocol."""
        self.there(sys.executable, "-c", STRANGE, str(ROOT))

    def files(self) -> list[str]:
        """Everything of ours that is on the host."""
        places = ("/usr/local", "/etc/systemd", "/run/xlpy", "/var/lib", "/srv/root")
        found = self.there(
            "sh", "-c", f"find {' '.join(places)} -mindepth 1 -not -path '*/.ssh*' 2>/dev/null || true"
        )
        return found.split()

    def pid(self) -> int:
        """xlpyd's process id there."""
        return int((self.host.run_dir / "xlpyd.lock").read_text())

    def _run(self, *argv: str) -> str:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with ssh_hosts(tmp_path / "lab", 0) as lab:
        yield Desk(lab)


def test_install_upgrade_uninstall(desk: Desk) -> None:
    before = desk.files()
    said = desk.xlpy("host", "install", "host1")
    assert said.startswith("host1: xlpyd 0.")
    assert "was installed as /usr/local/bin/xlpyd; without systemd there, have the host run" in said
    assert desk.there("/usr/local/bin/xlpyd", "--version").startswith("xlpyd 0.")
    assert (desk.host.state_dir / "xlpyd.db").exists()
    assert "Domain-0" in desk.xlpy("-H", "host1", "list")
    first = desk.pid()

    assert "was installed anew" in desk.xlpy("host", "install", "host1")
    assert desk.pid() != first
    versions = desk.there("ls", "/usr/local/lib/xlpy").split()
    assert len(versions) == 2
    assert "current" in versions

    assert desk.xlpy("host", "uninstall", "host1") == "host1: xlpyd was removed\n"
    left = set(desk.files()) - set(before)
    assert {path for path in left if path not in ("/usr/local/lib", "/usr/local/bin")} == set()
    assert "was not installed" in desk.xlpy("host", "uninstall", "host1")


def test_what_is_installed_is_used_and_belongs_to_everybody(desk: Desk) -> None:
    desk.xlpy("host", "install", "host1")
    modes = desk.there("find", "/usr/local/lib/xlpy", "/usr/local/bin/xlpyd", "-not", "-perm", "-a=r")
    assert modes == ""
    assert "installed" in desk.xlpy("host", "check", "host1", "-o", "json")


def test_shipped_xlpyd_hands_over_to_the_installed_one_and_back(desk: Desk) -> None:
    desk.xlpy("-H", "host1", "list")
    records = desk.host.run_dir / "state" / "xlpyd.db"
    assert records.exists()
    events = desk.xlpy("-H", "host1", "events", "-o", "json")
    desk.xlpy("host", "install", "host1")
    assert not records.exists()
    assert (desk.host.state_dir / "xlpyd.db").exists()
    assert desk.xlpy("-H", "host1", "events", "-o", "json") == events


def test_service_of_systemd(desk: Desk) -> None:
    (desk.host.root / "run/systemd/system").mkdir(parents=True)
    script = desk.host.root / "run/systemctl"
    script.write_text(SYSTEMCTL)
    script.chmod(0o755)
    desk.there("sh", "-c", "mkdir -p /usr/local/bin && cp /run/systemctl /usr/local/bin/systemctl")
    said = desk.xlpy("host", "install", "host1")
    assert said.endswith("it starts with the host\n")
    unit = desk.there("cat", "/etc/systemd/system/xlpyd.service")
    assert unit == UNIT_TEXT.format(program="/usr/local/bin/xlpyd")
    log = desk.host.root / "run/systemctl.log"
    assert log.read_text().splitlines()[-3:] == [
        "daemon-reload",
        "enable --quiet xlpyd.service",
        "restart xlpyd.service",
    ]
    log.unlink()
    desk.xlpy("host", "uninstall", "host1")
    assert log.read_text().splitlines() == [
        "stop xlpyd.service",
        "disable --quiet xlpyd.service",
        "daemon-reload",
    ]
    assert not any("xlpyd" in path for path in desk.files())


def test_installed_in_places_of_the_inventory(desk: Desk) -> None:
    """Its socket and records are there and nowhere else; and nothing is left of them."""
    before = desk.files()
    desk.set_places(socket="/run/other/x.sock", state_dir="/var/lib/other")
    said = desk.xlpy("host", "install", "host1")
    assert "/usr/local/bin/xlpyd --socket /run/other/x.sock --state-dir /var/lib/other" in said
    assert "Domain-0" in desk.xlpy("-H", "host1", "list")
    assert desk.there("ls", "/run/other/x.sock", "/var/lib/other/xlpyd.db")
    assert not (desk.host.run_dir / "xlpy.sock").exists()
    desk.xlpy("host", "restart", "host1")
    assert desk.there("ls", "/run/other/x.sock", "/var/lib/other/xlpyd.db")
    desk.xlpy("host", "uninstall", "host1")
    left = set(desk.files()) - set(before)
    assert {path for path in left if path not in ("/usr/local/lib", "/usr/local/bin")} == set()
    assert desk.there("sh", "-c", "ls -d /run/other || true") == ""


def test_the_service_of_places_of_its_own() -> None:
    wishes = {"socket": "/srv/x/xlpy.sock", "state_dir": "/srv/state"}
    place = installation_here(0, {}, wishes)
    text = unit_text(place)
    assert (
        "\nExecStart=/usr/local/bin/xlpyd --socket /srv/x/xlpy.sock --state-dir /srv/state --foreground\n"
        in text
    )
    assert "RuntimeDirectory" not in text
    assert "StateDirectory" not in text
    assert unit_text(installation_here(0, {}, {"socket": "/run/xlpy/xlpy.sock"})) == UNIT_TEXT.format(
        program="/usr/local/bin/xlpyd"
    )
    with pytest.raises(UsageError):
        installation_here(0, {}, {"socket": "/srv/%i/with blanks"})


def test_restart_of_a_shipped_one_keeps_domains(desk: Desk) -> None:
    assert desk.xlpy("host", "restart", "--force", "host1").endswith(
        "xlpyd was not running, and was started from the code of this version\n"
    )
    first = desk.pid()
    created = subprocess.run(
        [sys.executable, "-c", CREATE, str(desk.host.run_dir / "xlpy.sock")], cwd=ROOT, timeout=60
    )
    assert created.returncode == 0
    assert desk.xlpy("host", "restart", "host1").endswith(
        "xlpyd was restarted from the code of this version\n"
    )
    assert desk.pid() != first
    assert "web" in desk.xlpy("-H", "host1", "list")
    desk.xlpy("host", "install", "host1")
    assert desk.xlpy("host", "restart", "host1").endswith("xlpyd was restarted; it is the installed one\n")
    assert "web" in desk.xlpy("-H", "host1", "list")
    desk.xlpy("-H", "host1", "destroy", "web")


def test_xlpyd_of_another_protocol_is_replaced(desk: Desk) -> None:
    """What is said of one, and that it helps."""
    desk.start_strange_xlpyd()
    said = desk.xlpy("-H", "host1", "list", status=1)
    assert "speaks protocol 999" in said
    assert "'xlpy host restart HOST'" in said
    desk.xlpy("host", "restart", "host1")
    assert "Domain-0" in desk.xlpy("-H", "host1", "list")


def test_xlpyd_that_came_in_another_way_is_left_alone(desk: Desk) -> None:
    desk.there(
        "sh",
        "-c",
        "mkdir -p /usr/local/sbin; echo '#!/bin/sh' >/usr/local/sbin/xlpyd; chmod +x /usr/local/sbin/xlpyd",
    )
    before = desk.files()
    for command in (("install",), ("uninstall", "--force")):
        said = desk.xlpy("host", *command, "host1", status=1)
        assert "xlpyd is installed on host1 already, as /usr/local/sbin/xlpyd" in said
        assert set(desk.files()) - set(before) <= {"/run/xlpy", "/run/xlpy/start.lock"}


def test_uninstall_with_domains_needs_force_and_keeps_their_records(desk: Desk) -> None:
    desk.xlpy("host", "install", "host1")
    created = subprocess.run(
        [sys.executable, "-c", CREATE, str(desk.host.run_dir / "xlpy.sock")], cwd=ROOT, timeout=60
    )
    assert created.returncode == 0
    said = desk.xlpy("host", "uninstall", "host1", status=1)
    assert "xlpyd on host1 has 1 domain: web" in said
    assert "--force" in said
    said = desk.xlpy("host", "uninstall", "--force", "host1")
    assert said == "host1: xlpyd was removed; domains run on, their records are in /run/xlpy/state\n"
    assert "web" in desk.xlpy("-H", "host1", "list")


def test_full_disk_leaves_nothing(desk: Desk) -> None:
    desk.there("mount", "-o", "remount,size=64k", "/usr/local")
    before = desk.files()
    said = desk.xlpy("host", "install", "host1", status=1)
    assert "cannot install xlpy in /usr/local/lib/xlpy on host1: No space left on device" in said
    assert [
        path for path in set(desk.files()) - set(before) if not path.endswith(("/lib", "/lib/xlpy"))
    ] == []


def test_this_machine_is_refused(desk: Desk) -> None:
    assert "as any other program" in desk.xlpy("host", "install", "local", status=2)


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd to ask")
@pytest.mark.parametrize("wishes", [{}, {"socket": "/srv/x/xlpy.sock", "state_dir": "/srv/state"}])
def test_systemd_finds_no_fault_in_the_service(wishes: dict[str, object], tmp_path: Path) -> None:
    unit = tmp_path / "xlpyd.service"
    text = unit_text(installation_here(0, {}, wishes))
    unit.write_text(text.replace("/usr/local/bin/xlpyd", sys.executable))  # a program that is there
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", unit], capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_unit_for_packages_is_the_same() -> None:
    assert (ROOT / "systemd/xlpyd.service").read_text() == UNIT_TEXT.format(program="/usr/bin/env xlpyd")

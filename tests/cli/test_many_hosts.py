"""One command on several hosts, all of them real xlpyds with sockets of their own."""

from __future__ import annotations

import json
import os
import random
import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest
from command_line import Call, Result
from eventually import eventually
from fake_engine import FakeEngine
from host_farm import FarmHost, HostFarm, add_domain

from xlpy.cli.host_session import HostSession
from xlpy.cli.main import run
from xlpy.client.host import connect
from xlpy.model.domain import ShutdownReason
from xlpy.model.migration import Peer
from xlpy.render.kind import Kind

Three = dict[str, FarmHost]


@pytest.fixture
def hosts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Three]:
    """The hosts a, b and c, with the inventory that names them: web on a, db on b, and one called twin on b and c."""
    farm = {
        name: FarmHost(tmp_path / name, f"{name}.example.org", domains)
        for name, domains in {"a": ("web",), "b": ("db", "twin"), "c": ("twin",)}.items()
    }
    write_inventory(tmp_path, monkeypatch, {name: host.address for name, host in farm.items()})
    yield farm
    for host in farm.values():
        host.close()


def write_inventory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, addresses: dict[str, str]) -> None:
    lines = [f"  {name}: {{address: '{address}'}}" for name, address in addresses.items()]
    path = tmp_path / "hosts.yaml"
    groups = ["groups: {bc: [c, b]}"] if "c" in addresses else []
    path.write_text("\n".join(["hosts:", *lines, *groups, ""]))
    monkeypatch.setenv("XLPY_INVENTORY", str(path))
    monkeypatch.setenv("XLPY_BROKER", "no")


@pytest.fixture
def xlpy(capfd: pytest.CaptureFixture[str]) -> Call:
    """``xlpy("-H", "all", "list")`` through the client, as users have it."""

    def run_words(*words: str, program: str = "xlpy") -> Result:
        capfd.readouterr()
        status = run(words, program)
        captured = capfd.readouterr()
        return Result(status, captured.out, captured.err)

    return run_words


def rows(result: Result) -> list[dict[str, object]]:
    """The rows of -o json."""
    found = json.loads(result.out)["rows"]
    assert isinstance(found, list)
    return found


def column(result: Result, *places: int) -> list[tuple[str, ...]]:
    """Some words of every line of the plain form, the header left out."""
    lines = [line.split() for line in result.out.splitlines()[1:]]
    return [tuple(line[place] for place in places) for line in lines]


ALL = [
    ("a", "Domain-0"),
    ("a", "web"),
    ("b", "Domain-0"),
    ("b", "db"),
    ("b", "twin"),
    ("c", "Domain-0"),
    ("c", "twin"),
]


# -- showing


def test_rows_of_all_hosts_in_the_order_of_the_inventory(hosts: Three, xlpy: Call) -> None:
    result = xlpy("-H", "all", "list")
    assert (result.status, result.err) == (0, "")
    header, first, *_ = result.out.splitlines()
    assert header == "Host  Name                                        ID   Mem VCPUs\tState\tTime(s)"
    assert first.startswith("a     Domain-0                                     0  2048     4")
    assert column(result, 0, 1) == ALL


@pytest.mark.parametrize("form", ["json", "yaml", "csv", "table"])
def test_every_form_says_the_host_first(hosts: Three, xlpy: Call, form: str) -> None:
    result = xlpy("-H", "c,a", "list", "-o", form)
    assert result.status == 0
    if form == "csv":
        lines = result.out.splitlines()
        assert lines[0].startswith("host,name,domid,uuid")
        assert [line.split(",")[:2] for line in lines[1:]] == [list(row) for row in (*ALL[5:], *ALL[:2])]
    elif form == "table":
        assert "Host" in result.out
        assert result.out.index("c ") < result.out.index("a ")
    else:
        import yaml

        document = yaml.safe_load(result.out)
        assert document["schema"] == "xlpy/domain/1"
        assert document["errors"] == []
        assert [(row["host"], row["name"]) for row in document["rows"]] == [*ALL[5:], *ALL[:2]]
        assert list(document["rows"][0])[:2] == ["host", "name"]


def test_sorting_goes_over_all_hosts(hosts: Three, xlpy: Call) -> None:
    assert column(xlpy("-H", "all", "list", "--sort", "mem", "--filter", "host != b"), 0, 1)[-2:] == [
        ("a", "Domain-0"),
        ("c", "Domain-0"),
    ]
    names = ["Domain-0", "Domain-0", "Domain-0", "db", "twin", "twin", "web"]
    assert column(xlpy("-H", "all", "list", "--sort", "name"), 1) == [(name,) for name in names]
    falling = column(xlpy("-H", "all", "list", "--sort=-memory_kib,-host"), 0, 1)
    assert falling[:3] == [("c", "Domain-0"), ("b", "Domain-0"), ("a", "Domain-0")]
    assert falling[3] == ("b", "twin")


def test_columns_keep_the_host_in_front_unless_it_is_placed(hosts: Three, xlpy: Call) -> None:
    result = xlpy("-H", "@bc", "list", "--columns", "domid,name", "--no-headers")
    assert [line.split() for line in result.out.splitlines()] == [
        ["b", "0", "Domain-0"],
        ["b", "1", "db"],
        ["b", "2", "twin"],
        ["c", "0", "Domain-0"],
        ["c", "1", "twin"],
    ]
    result = xlpy("-H", "@bc", "list", "--columns", "name,host", "--no-headers")
    assert result.out.splitlines()[1].split() == ["db", "b"]
    result = xlpy("-H", "@bc", "list", "--columns", "nope")
    assert (result.status, result.out) == (2, "")
    assert "columns: host, name, domid" in result.err


def test_a_group_of_one_host_looks_like_any_group(hosts: Three, xlpy: Call) -> None:
    assert xlpy("-H", "a", "list").out.startswith("Name ")
    assert xlpy("-H", "a,a", "list").out.startswith("Host  Name ")


def test_the_environment_names_hosts_for_xlpy_but_not_for_xl(
    hosts: Three, xlpy: Call, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XLPY_HOST", "a b")
    assert {host for (host,) in column(xlpy("list"), 0)} == {"a", "b"}
    assert {host for (host,) in column(xlpy("-H", "all", "list"), 0)} == {"a", "b", "c"}
    assert call("list", program="xl").out.startswith("Name ")
    assert xlpy("help", "list").status == 0


@pytest.mark.parametrize(
    "words",
    [
        ["vm-list"],
        ["uptime"],
        ["vcpu-list"],
        ["info"],
        ["info", "-n"],
        ["dmesg"],
        ["claims"],
        ["sharing"],
        ["cpupool-list"],
        ["cpupool-list", "-c"],
        ["sched-credit2"],
        ["events"],
        ["list", "-v"],
        ["list", "-n"],
        ["list", "-l"],
        ["top", "-b", "-i", "1"],
    ],
    ids=" ".join,
)
@pytest.mark.parametrize("form", ["plain", "table", "json", "yaml", "csv"])
def test_whatever_shows_something_shows_it_of_all(
    hosts: Three, xlpy: Call, words: list[str], form: str
) -> None:
    for host in hosts.values():  # an event to show
        assert xlpy("-H", host.address, "pause", "1").status == 0
    result = xlpy("-H", "all", *words, "-o", form)
    if (words, form) == (["list", "-l"], "csv"):
        assert (result.status, "json" in result.err) == (2, True)
        return
    assert (result.status, result.err) == (0, "")
    if form == "plain" and words != ["list", "-l"]:
        assert {line.split()[0] for line in result.out.splitlines()} - {"Host"} == {"a", "b", "c"}
    elif form == "json":
        assert {row["host"] for row in rows(result)} == {"a", "b", "c"}


def test_migrations_of_all_hosts(hosts: Three, xlpy: Call) -> None:
    """Those that wait for somebody's decision, wherever they do."""
    for name, domain in (("a", "web"), ("c", "twin")):
        client = connect(hosts[name].address)
        domid = hosts[name].names[domain]
        client.describe_domain(domid)
        with open(os.devnull, "wb") as nowhere:
            client.save_domain(domid, os.dup(nowhere.fileno()), peer=Peer(name="d", instance="d's"))
        client.close()
    eventually(
        lambda: not any(row["led"] for row in rows(xlpy("-H", "all", "migrate", "--list", "-o", "json")))
    )
    listed = xlpy("-H", "all", "migrate", "--list")
    assert (listed.status, column(listed, 0, 1, 3, 4, 6)) == (
        0,
        [("a", "web", "source", "sent", "d"), ("c", "twin", "source", "sent", "d")],
    )
    assert column(xlpy("-H", "all", "migrate", "--list", "twin"), 0, 1) == [("c", "twin")]
    assert [row["host"] for row in rows(xlpy("-H", "@bc", "migrate", "--list", "-o", "json"))] == ["c"]


def test_a_column_called_host_is_not_lost(hosts: Three, xlpy: Call) -> None:
    found = rows(xlpy("-H", "a,b", "info", "-o", "json"))
    assert [(row["host"], row["hostname"]) for row in found] == [
        ("a", "a.example.org"),
        ("b", "b.example.org"),
    ]


def test_plain_lines_are_the_hosts_own(hosts: Three, xlpy: Call) -> None:
    for words in (
        ["list"],
        ["vcpu-list"],
        ["vm-list"],
        ["info"],
        ["dmesg"],
        ["uptime", "-s"],
        ["cpupool-list"],
    ):
        own = xlpy("-H", "b", *words).out.splitlines()
        of_all = [
            line[6:]
            for line in xlpy("-H", "all", *words).out.splitlines()
            if line.startswith(("b ", "Host "))
        ]
        if words[0] == "uptime":  # time goes on
            own, of_all = ([line.rpartition(", ")[2] for line in lines] for lines in (own, of_all))
        assert of_all == own, words


# -- named domains


def test_named_domains_are_shown_where_they_are(hosts: Three, xlpy: Call) -> None:
    result = xlpy("-H", "all", "list", "twin", "web")
    assert (result.status, result.err) == (0, "")
    assert column(result, 0, 1) == [("a", "web"), ("b", "twin"), ("c", "twin")]
    assert column(xlpy("-H", "all", "list", "twin@c"), 0, 1) == [("c", "twin")]
    assert column(xlpy("-H", "all", "block-list", "web"), 0) == []
    assert column(xlpy("-H", "all", "sched-credit2", "-d", "db"), 0, 1) == [("b", "db")]
    assert xlpy("-H", "all", "domid", "twin").out.split() == ["b", "2", "c", "1"]
    assert xlpy("-H", "all", "domname", "2").out.split() == ["b", "twin"]


def test_a_domain_nowhere_is_an_error_with_the_nearest_name(hosts: Three, xlpy: Call) -> None:
    result = xlpy("-H", "all", "list", "wep")
    assert (result.status, result.out) == (1, "")
    assert result.err == "xlpy: there is no domain 'wep' on a, b, c\n  (did you mean web@a?)\n"


def test_a_domain_can_say_its_host_without_any_option(hosts: Three, xlpy: Call) -> None:
    assert xlpy("pause", "web@a").status == 0
    assert hosts["a"].engine.domain_info(1).paused
    assert column(xlpy("list", "db@b", "web@a"), 0, 1) == [("b", "db"), ("a", "web")]
    assert xlpy("rename", "web@a", "www").status == 0
    assert hosts["a"].engine.domain_info(1).name == "www"
    assert xlpy("destroy", "twin@c").status == 0
    assert [info.domid for info in hosts["c"].engine.list_domains()] == [0]


def test_a_command_for_one_domain_goes_to_its_host(hosts: Three, xlpy: Call) -> None:
    assert xlpy("-H", "all", "rename", "web", "www").status == 0
    assert hosts["a"].engine.domain_info(1).name == "www"
    assert xlpy("-H", "all", "sched-credit2", "-d", "db", "-w", "512").status == 0
    assert hosts["b"].engine.sched_params(1).weight == 512
    result = xlpy("-H", "all", "rename", "twin", "x")
    assert result.status == 2
    assert result.err == "xlpy: there is a domain 'twin' on b, c\n  (say which one: twin@b)\n"
    assert xlpy("-H", "all", "rename", "twin@c", "x").status == 0
    assert hosts["c"].engine.domain_info(1).name == "x"


def test_managed_domains_are_found_when_they_do_not_run(hosts: Three, xlpy: Call, tmp_path: Path) -> None:
    config = tmp_path / "later.cfg"
    config.write_text('name = "later"\ntype = "pvh"\nkernel = "/dev/null"\nmemory = 64\n')
    assert xlpy("-H", "b", "define", str(config)).status == 0
    assert xlpy("-H", "all", "start", "later").status == 0
    assert "later" in [domain.name for domain in hosts["b"].engine.list_domains()]
    assert xlpy("-H", "all", "undefine", "later", "web").status == 2
    assert xlpy("undefine", "later@b").status == 0
    assert xlpy("-H", "all", "start", "lader").err.endswith("(did you mean later@b?)\n")
    config.write_text(config.read_text().replace("later", "web"))  # another one of a name that runs
    assert xlpy("-H", "a", "define", str(config)).status == 0
    assert xlpy("undefine", "web@a").status == 0


def test_a_difference_says_on_which_host_it_is_mended(hosts: Three, xlpy: Call, tmp_path: Path) -> None:
    config = tmp_path / "db.cfg"
    config.write_text('name = "db"\nmemory = 64\nkernel = "k"\n')
    for words in (
        ("config", "diff", str(config), "db@b"),
        ("-H", "all", "config", "diff", str(config), "db"),
    ):
        result = xlpy(*words)
        assert result.status == 1
        assert "now: xlpy -H b mem-set db 64m\n" in result.out


def test_what_works_on_one_host_says_so(hosts: Three, xlpy: Call, tmp_path: Path) -> None:
    result = xlpy("-H", "all", "create", str(tmp_path / "x.cfg"))
    assert result.status == 2
    assert result.err == "xlpy: create works on one host at a time\n  (name one: -H HOST)\n"
    assert xlpy("-H", "all", "config", "fmt", "/dev/null").status == 0


def test_a_domains_own_host_goes_before_the_environments(
    hosts: Three, xlpy: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XLPY_HOST", "c")
    assert xlpy("pause", "web@a").status == 0
    assert xlpy("pause", "web@a", "twin", "--yes").status == 0
    assert paused(hosts) == {"web@a", "twin@c"}
    result = xlpy("-H", "c", "pause", "db@b")
    assert result.status == 1
    assert result.err == "xlpy: there is no domain 'db@b' on c\n  (b is none of the hosts that -H names)\n"


def test_a_domain_may_have_an_at_in_its_name(hosts: Three, xlpy: Call) -> None:
    add_domain(hosts["b"].engine, "x@y")
    assert xlpy("-H", "all", "pause", "x@y").status == 0
    assert xlpy("-H", "b", "unpause", "x@y").status == 0
    assert xlpy("pause", "x@y@b").status == 0
    assert paused(hosts) == {"x@y@b"}


# -- hosts that fail


class Broken:
    """Something that listens where an xlpyd should be, and misbehaves: ``behave`` gets every connection."""

    def __init__(self, directory: Path, behave: Callable[[socket.socket], None]) -> None:
        directory.mkdir(mode=0o700)
        self.address = f"unix://{directory}/xlpy.sock"
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(f"{directory}/xlpy.sock")
        self._listener.listen(8)
        self._behave = behave
        self._connections: list[socket.socket] = []
        self._thread = threading.Thread(target=self._accept)
        self._thread.start()

    def _accept(self) -> None:
        while True:
            try:
                connected, _ = self._listener.accept()
            except OSError:
                return
            self._connections.append(connected)
            self._behave(connected)

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join(30)
        self._listener.close()
        for connection in self._connections:
            connection.close()


HELLO = b'{"message":"hello","protocol":1,"version":"0","engine":"fake"}\n'


def silence(connected: socket.socket) -> None:
    """Accept and say nothing."""


def death_in_mid_answer(connected: socket.socket) -> None:
    """Greet, hear the question, begin the answer and hang up."""
    connected.sendall(HELLO)
    connected.recv(1000)
    connected.sendall(b'{"message":"reply","id":1,"val')
    connected.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def broken(hosts: Three, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """a, b and c, and three that are of no use: gone, silent, dying."""
    refusing = tmp_path / "gone" / "xlpy.sock"
    refusing.parent.mkdir()
    nobody = socket.socket(socket.AF_UNIX)
    nobody.bind(str(refusing))
    nobody.close()
    silent = Broken(tmp_path / "silent", silence)
    dying = Broken(tmp_path / "dying", death_in_mid_answer)
    addresses = {
        "a": hosts["a"].address,
        "gone": f"unix://{refusing}",
        "silent": silent.address,
        "b": hosts["b"].address,
        "dying": dying.address,
        "c": hosts["c"].address,
    }
    write_inventory(tmp_path, monkeypatch, addresses)
    yield
    silent.close()
    dying.close()


@pytest.mark.usefixtures("broken")
@pytest.mark.parametrize("parallel", ["50", "1"])
def test_hosts_that_fail_cost_the_others_nothing(xlpy: Call, parallel: str) -> None:
    result = xlpy("-H", "all", "--timeout", "0.3", "--parallel", parallel, "list")
    assert result.status == 4
    assert column(result, 0, 1) == ALL
    gone, silent, dying = result.err.splitlines()
    assert gone.startswith("xlpy: gone: no xlpyd at ")
    assert silent == "xlpy: silent: no answer within 0.3 s (--timeout SECONDS waits longer, or shorter)"
    assert dying.startswith("xlpy: dying: the connection broke while list domains was running")


@pytest.mark.usefixtures("broken")
def test_programs_get_the_failures_too(xlpy: Call) -> None:
    result = xlpy("-H", "all", "--timeout", "0.3", "list", "-o", "json")
    assert result.status == 4
    assert [error["host"] for error in json.loads(result.out)["errors"]] == ["gone", "silent", "dying"]


def test_a_connection_that_breaks_once_is_made_anew_for_a_look(
    hosts: Three, xlpy: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a kept connection does that broke while nobody looked. What changes something is not done twice."""
    heard: list[bytes] = []

    def flaky(connected: socket.socket) -> None:
        connected.sendall(HELLO)
        heard.append(connected.recv(1000))
        if len(heard) != 2:
            connected.shutdown(socket.SHUT_RDWR)
            return
        row = '{"domid":7,"uuid":"u","name":"seven"}'
        connected.sendall(b'{"message":"reply","id":1,"value":[%s]}\n' % row.encode())

    once = Broken(tmp_path / "once", flaky)
    write_inventory(tmp_path, monkeypatch, {"a": hosts["a"].address, "once": once.address})
    result = xlpy("-H", "all", "list")
    assert (result.status, result.err) == (0, "")
    assert column(result, 0, 1)[2:] == [("once", "seven")]
    result = xlpy("-H", "once,a", "dmesg", "-c")
    assert result.status == 4
    assert [b"console_ring" in line for line in heard] == [False, False, True]
    once.close()


@pytest.mark.usefixtures("broken")
def test_all_that_fail_is_failure(xlpy: Call) -> None:
    result = xlpy("-H", "gone,silent", "--timeout", "0.3", "list")
    assert (result.status, result.out) == (1, "")
    assert len(result.err.splitlines()) == 2


def test_a_crowd_of_hosts_of_which_some_are_broken(
    tmp_path: Path, xlpy: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    """40 of 50 answer: all of their rows are there, in order, and each of the others is named with its reason."""
    broken = [Broken(tmp_path / f"silent{n}", silence) for n in range(3)]
    broken += [Broken(tmp_path / f"dying{n}", death_in_mid_answer) for n in range(2)]
    (tmp_path / "farm").mkdir()
    with HostFarm(tmp_path / "farm", 40, domains=2) as farm:
        addresses = {f"h{number}": address for number, address in enumerate(farm.addresses)}
        addresses.update({f"gone{n}": f"unix://{tmp_path}/gone{n}/xlpy.sock" for n in range(5)})
        addresses.update({f"silent{n}": broken[n].address for n in range(3)})
        addresses.update({f"dying{n}": broken[3 + n].address for n in range(2)})
        names = list(addresses)
        random.Random(1).shuffle(names)
        write_inventory(tmp_path, monkeypatch, {name: addresses[name] for name in names})
        result = xlpy(
            "-H", "all", "--timeout", "3", "--parallel", "8", "list", "-o", "csv", "--columns", "name"
        )
    for one in broken:
        one.close()
    assert result.status == 4
    assert [line.split(",")[0] for line in result.out.splitlines()[1:]] == [
        name for name in names if name.startswith("h") for _ in range(3)
    ]
    reasons = {"g": "there is no socket", "s": "no answer within 3 s", "d": "the connection broke"}
    for line, name in zip(
        result.err.splitlines(), [name for name in names if not name.startswith("h")], strict=True
    ):
        assert line.startswith(f"xlpy: {name}: ")
        assert reasons[name[0]] in line


@pytest.mark.usefixtures("broken")
def test_a_unique_name_needs_everybodys_answer(xlpy: Call, hosts: Three) -> None:
    result = xlpy("-H", "all", "--timeout", "0.3", "pause", "web")
    assert result.status == 1
    assert "gone, silent, dying did not answer, so 'web' may be there as well" in result.err
    assert "web@a" in result.err
    assert not hosts["a"].engine.domain_info(1).paused
    assert xlpy("-H", "all", "--timeout", "0.3", "pause", "web@a").status == 0
    result = xlpy("-H", "all", "--timeout", "0.3", "list", "web")
    assert (result.status, column(result, 0, 1)) == (4, [("a", "web")])


@pytest.mark.usefixtures("broken")
def test_one_silent_host_is_not_waited_for_either(xlpy: Call) -> None:
    result = xlpy("-H", "silent", "--timeout", "0.3", "list")
    assert (result.status, result.out) == (1, "")
    assert "silent: no answer within 0.3 s" in result.err
    result = xlpy("-H", "silent", "--timeout", "0.3", "pause", "web")
    assert (result.status, result.out) == (1, "")
    assert "outcome is unknown" in result.err


def test_a_slow_reader_is_no_slow_host(hosts: Three) -> None:
    """More output than a pipe holds, and nobody reads it before the host's time is over."""
    import select
    import subprocess
    import sys

    for number in range(1500):
        add_domain(hosts["a"].engine, f"many{number}")
    argv = [sys.executable, "-m", "xlpy", "-H", hosts["a"].address, "--timeout", "3", "list"]
    child = subprocess.Popen(argv, stdout=subprocess.PIPE)
    assert child.stdout is not None
    assert select.select([child.stdout], [], [], 30)[0], "it has begun to write"
    with pytest.raises(subprocess.TimeoutExpired):
        child.wait(3.5)
    out, _ = child.communicate(timeout=60)
    assert (child.returncode, len(out.splitlines())) == (0, 1503)


def test_one_silent_host_has_a_limit_by_itself(
    xlpy: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    silent = Broken(tmp_path / "silent", silence)
    write_inventory(tmp_path, monkeypatch, {"silent": silent.address})
    with open(tmp_path / "hosts.yaml", "a") as inventory:
        inventory.write("defaults: {connect_timeout_s: 0.1, answer_timeout_s: 0.2}\n")
    result = xlpy("-H", "silent", "list")
    silent.close()
    assert (result.status, result.out) == (1, "")
    assert result.err.startswith("xlpy: silent: no answer within 0.3 s\n")


@pytest.mark.usefixtures("broken")
@pytest.mark.parametrize("names", ["silent", "a,silent,c"])
def test_ctrl_c_ends_waiting_at_once(names: str) -> None:
    import signal
    import subprocess
    import sys

    child = subprocess.Popen(
        [sys.executable, "-m", "xlpy", "-H", names, "-v", "list"], stdout=subprocess.PIPE
    )
    descriptors = Path(f"/proc/{child.pid}/fd")

    def is_connected() -> bool:
        return any("socket:" in os.readlink(path) for path in descriptors.iterdir() if os.path.lexists(path))

    eventually(is_connected)
    child.send_signal(signal.SIGINT)
    out, _ = child.communicate(timeout=10)
    assert (child.returncode, out) == (130, b"")


def test_a_bug_costs_one_host_its_rows(hosts: Three, xlpy: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    original = HostSession.show

    def show(session: HostSession, kind: Kind, rows: Iterable[object]) -> None:
        if session.program.endswith("b"):
            raise ZeroDivisionError("by nothing")
        original(session, kind, rows)

    monkeypatch.setattr(HostSession, "show", show)
    result = xlpy("-H", "all", "list")
    assert (result.status, column(result, 0, 1)) == (4, [row for row in ALL if row[0] != "b"])
    assert result.err.startswith(
        "xlpy: b: this is a bug in xlpy (ZeroDivisionError: by nothing) (run it again"
    )
    assert "Traceback" in xlpy("--debug", "-H", "all", "list").err


def test_a_reader_who_has_enough_ends_it(hosts: Three) -> None:
    import subprocess
    import sys

    reader, writer = os.pipe()
    os.close(reader)
    argv = [sys.executable, "-m", "xlpy", "-H", "all", "list"]
    done = subprocess.run(argv, stdout=writer, stderr=subprocess.PIPE, timeout=60)
    os.close(writer)
    assert (done.returncode, done.stderr) == (141, b"")


def test_options_that_would_do_nothing_are_refused(hosts: Three, xlpy: Call) -> None:
    assert xlpy("-H", "a", "list", "--plan").status == 2
    assert xlpy("-H", "a", "rename", "--timeout", "3", "web", "www").status == 2
    assert xlpy("-H", "all", "--parallel", "0", "list").status == 2
    assert xlpy("-H", "all", "--timeout", "x", "list").status == 2


# -- changing many


def paused(hosts: Three) -> set[str]:
    return {
        f"{domain.name}@{name}"
        for name, host in hosts.items()
        for domain in host.engine.list_domains()
        if domain.paused
    }


def test_several_domains_need_a_yes(hosts: Three, xlpy: Call) -> None:
    result = xlpy("-H", "all", "pause", "web", "twin@b")
    assert (result.status, result.out) == (2, "")
    plan = [line.split() for line in result.err.splitlines()[:3]]
    assert plan[0] == ["host", "name", "domid", "action", "memory_kib", "change"]
    assert [row[:4] for row in plan[1:]] == [["a", "web", "1", "pause"], ["b", "twin", "2", "pause"]]
    assert "--yes carries it out" in result.err
    assert paused(hosts) == set()
    result = xlpy("-H", "all", "pause", "web", "twin@b", "--yes", "-o", "json")
    assert result.status == 0
    assert [(row["host"], row["name"], row["result"]) for row in rows(result)] == [
        ("a", "web", "ok"),
        ("b", "twin", "ok"),
    ]
    assert paused(hosts) == {"web@a", "twin@b"}


def test_a_plan_is_only_shown(hosts: Three, xlpy: Call) -> None:
    result = xlpy("-H", "all", "shutdown", "-a", "--plan", "-o", "json")
    assert result.status == 0
    assert [(row["host"], row["name"]) for row in rows(result)] == [
        row for row in ALL if row[1] != "Domain-0"
    ]
    assert all(not host.engine.requests for host in hosts.values())
    assert xlpy("-H", "b", "pause", "db", "--plan").out.split()[6:10] == ["b", "db", "1", "pause"]
    assert paused(hosts) == set()


def test_all_guests_of_all_hosts(hosts: Three, xlpy: Call) -> None:
    add_domain(hosts["c"].engine, "last")
    result = xlpy("-H", "all", "shutdown", "-a", "--yes")
    assert (result.status, result.err) == (0, "")
    asked = {(name, request[1]) for name, host in hosts.items() for request in host.engine.requests}
    assert asked == {("a", 1), ("b", 1), ("b", 2), ("c", 1), ("c", 2)}


def obey(monkeypatch: pytest.MonkeyPatch, engine: FakeEngine) -> None:
    """Let its guests power off as soon as they are asked to."""
    ask = engine.shutdown_domain

    def end(domid: int, acpi_fallback: bool = False) -> None:
        ask(domid, acpi_fallback)
        engine.end(domid, ShutdownReason.POWEROFF)

    monkeypatch.setattr(engine, "shutdown_domain", end)


def test_waiting_for_all_ends(hosts: Three, xlpy: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    for host in hosts.values():
        obey(monkeypatch, host.engine)
    result = xlpy("-H", "all", "shutdown", "-a", "-w", "--yes", "-o", "json")
    assert (result.status, {row["result"] for row in rows(result)}) == (0, {"ok"})
    result = xlpy("-H", "all", "shutdown", "-a", "--yes")
    assert (result.status, result.err) == (0, "there is nothing to do\n")


def test_one_that_does_not_end_is_named(hosts: Three, xlpy: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a", "b"):
        obey(monkeypatch, hosts[name].engine)
    result = xlpy("-H", "all", "shutdown", "-aw", "--timeout", "3", "--yes", "-o", "json")
    assert result.status == 4
    assert [(row["host"], row["result"]) for row in rows(result)] == [
        ("a", "ok"),
        ("b", "ok"),
        ("b", "ok"),
        ("c", "aborted"),
    ]
    assert result.err.startswith("xlpy: twin@c: it was asked and has not ended yet")


def test_those_that_do_not_end_are_destroyed(
    hosts: Three, xlpy: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    obey(monkeypatch, hosts["a"].engine)
    words = ("-H", "all", "shutdown", "-a", "--timeout", "1", "--then", "destroy")
    plan = xlpy(*words, "--plan", "-o", "json")
    assert "destroy it if it has not ended after 1 s" in str(rows(plan)[0]["change"])
    result = xlpy(*words, "--yes", "-o", "json")
    assert (result.status, result.err) == (0, "")
    assert [(row["host"], row["name"], row["action"], row["result"]) for row in rows(result)] == [
        ("a", "web", "shutdown", "ok"),
        ("b", "db", "destroy", "ok"),
        ("b", "twin", "destroy", "ok"),
        ("c", "twin", "destroy", "ok"),
    ]
    for name in ("b", "c"):
        assert [info.domid for info in hosts[name].engine.list_domains()] == [0]


def test_one_that_cannot_be_destroyed_either_is_named(
    hosts: Three, xlpy: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    from xlpy.errors import EngineError

    def destroy(domid: int) -> None:
        raise EngineError("it holds on")

    monkeypatch.setattr(hosts["c"].engine, "destroy_domain", destroy)
    result = xlpy(
        "-H", "b,c", "shutdown", "-a", "--timeout", "0.5", "--then", "destroy", "--yes", "-o", "json"
    )
    assert result.status == 4
    assert [row["result"] for row in rows(result)] == ["ok", "ok", "engine"]
    assert result.err.startswith("xlpy: twin@c: it holds on")
    assert xlpy("-H", "all", "shutdown", "-a", "--then", "destroy").status == 2


def test_one_domains_failure_does_not_spare_the_others(hosts: Three, xlpy: Call) -> None:
    from xlpy.errors import EngineError

    hosts["b"].engine.fail_next("shutdown_domain", EngineError("QEMU is stuck"))
    result = xlpy("-H", "all", "shutdown", "web", "db", "twin@b", "--yes")
    assert result.status == 4
    assert result.err == "xlpy: db@b: QEMU is stuck\n"
    assert [request[1] for request in hosts["b"].engine.requests] == [2]


def test_the_hosts_own_domain_is_spared(hosts: Three, xlpy: Call) -> None:
    result = xlpy("-H", "all", "destroy", "Domain-0@a", "web", "--yes")
    assert result.status == 1
    assert "Not destroying domain 0" in result.err
    assert hosts["a"].engine.domain_info(1).name == "web"


@pytest.mark.usefixtures("broken")
def test_bulk_goes_on_without_those_that_are_silent(xlpy: Call, hosts: Three) -> None:
    result = xlpy("-H", "all", "--timeout", "0.3", "shutdown", "-a", "--yes")
    assert result.status == 4
    assert sum(len(host.engine.requests) for host in hosts.values()) == 4
    assert [line.split(":")[1] for line in result.err.splitlines()] == [" gone", " silent", " dying"]


def test_a_person_is_asked(hosts: Three, tmp_path: Path) -> None:
    """On a terminal, with the plan on it."""
    import pty
    import subprocess
    import sys

    for answer, agreed in ((b"n\n", False), (b"y\n", True)):
        terminal, inside = pty.openpty()
        child = subprocess.Popen(
            [sys.executable, "-m", "xlpy", "-H", "all", "pause", "web", "db"],
            stdin=inside,
            stdout=subprocess.PIPE,
            stderr=inside,
            env={**os.environ, "TERM": "dumb"},
        )
        os.close(inside)
        said = b""
        while b"[y/N] " not in said:
            said += os.read(terminal, 4096)
        assert b"Do this to 2 domains?" in said
        os.write(terminal, answer)
        child.communicate(timeout=60)
        os.close(terminal)
        assert (child.returncode == 0) is agreed
        assert paused(hosts) == ({"web@a", "db@b"} if agreed else set())


# -- top


def test_live_top_of_several_hosts(hosts: Three, tmp_path: Path) -> None:
    """On a terminal: all hosts' domains in one picture; s sorts, q leaves."""
    import pty
    import subprocess
    import sys
    import termios

    terminal, inside = pty.openpty()
    termios.tcsetwinsize(inside, (30, 120))
    child = subprocess.Popen(
        [sys.executable, "-m", "xlpy", "-H", "all", "top", "-d", "60"],
        stdin=inside,
        stdout=inside,
        stderr=inside,
        env={**os.environ, "TERM": "xterm"},
    )
    os.close(inside)
    shown = b""
    for awaited, typed in ((b"sort (ID)", b"s"), (b"sort (Name)", b"q")):
        while awaited not in shown:
            shown += os.read(terminal, 65536)
        os.write(terminal, typed)
    while b"\x1b[?1049l" not in shown:  # the screen that was there before comes back
        shown += os.read(terminal, 65536)
    assert child.wait(60) == 0
    os.close(terminal)
    assert b"3 hosts" in shown
    assert b"7 domains" in shown
    assert b"Host" in shown
    assert b"twin" in shown


@pytest.mark.usefixtures("broken")
def test_top_goes_on_without_those_that_fail(xlpy: Call) -> None:
    result = xlpy("-H", "all", "--timeout", "0.3", "top", "-b", "-i", "2", "-d", "0.01")
    assert result.status == 4
    lines = [line.split() for line in result.out.splitlines()]
    assert [line[0] for line in lines] == [*["Host", "a", "a", "b", "b", "b", "c", "c"] * 2]
    assert [line.split(":")[1] for line in result.err.splitlines()].count(" gone") == 2


def test_a_usual_command_over_sockets_is_light(hosts: Three) -> None:
    """No SSH, YAML or threading is imported for it."""
    import subprocess
    import sys

    from test_start_up import HEAVY

    names = ",".join(host.address for host in hosts.values())
    code = (
        "import sys; from xlpy.cli.main import run; "
        f"assert run(['-H', {names!r}, 'list']) == 0; print('MODULES', *sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    loaded = set(done.stdout.rpartition("MODULES ")[2].split())
    assert not loaded & (HEAVY | {"enum", "json", "re", "queue"})

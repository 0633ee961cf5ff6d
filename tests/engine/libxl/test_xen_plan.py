"""Dry runs on a real Xen: every changing command line is rehearsed, and the host is as it was."""

from __future__ import annotations

import json
import re

import pytest
from changing_lines import LINES
from xen_dom0 import Dom0

pytestmark = [pytest.mark.xen, pytest.mark.xen_core]

# each line in one process of the dom0, for a start of Python takes a second there
REHEARSE = """
import contextlib, io, json, sys
from xlpy.cli.main import run
found = []
for line in json.load(sys.stdin):
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = run(["-N", *line.split()])
    found.append([line, status, out.getvalue(), err.getvalue()])
print(json.dumps(found))
"""
CONFIG = """name="{name}"
uuid="00000000-0000-4000-8000-0000000000{number:02}"
type="pv"
kernel="/srv/guest/vmlinuz"
ramdisk="/srv/guest/initrd.img"
memory=128
vcpus=2
"""
LOOKS = (
    "xl list -l",
    "xl vcpu-list",
    "xl cpupool-list -c",
    "xl sched-credit2",
    "xl sched-credit2 -s",
    "xenstore-ls -fp",
    "ls -lR --time-style=full-iso /root/work /etc/xen /var/lib/xen",
)
# times and places go on meanwhile
MOVING = re.compile(r"\d+\.\d|r-----|-b----|------|--p---| r-- | -b- | --- |memory/\S* = \S+|CPU +\d")


class TestDryRun:
    def test_nothing_is_changed(self, dom0: Dom0) -> None:
        dom0.run("mkdir", "-p", "/root/work")
        for number, name in enumerate(("web", "sleepy", "new", "kept")):
            dom0.host.put(f"/root/work/{name}.cfg", CONFIG.format(name=name, number=number))
        dom0.host.put("/root/work/disk.img", "x" * 65536)
        dom0.host.put("/root/work/pool.cfg", 'name="more"\nsched="credit2"\ncpus=["1"]\n')
        for name in ("web", "sleepy"):
            dom0.xlpy("create", "-p", f"/root/work/{name}.cfg")
        dom0.xlpy("define", "/root/work/kept.cfg")
        lines = [
            line.replace("{dir}", "/root/work")
            for name, each in LINES.items()
            for line in each
            if not name.startswith("host ")  # the inventory needs PyYAML, which no dom0 has
        ]
        dom0.host.put("/root/lines.json", json.dumps(lines))
        dom0.host.put("/root/rehearse.py", REHEARSE)
        before = self._state(dom0)
        said = dom0.run("sh", "-c", "PYTHONPATH=/opt/xlpy python3 /root/rehearse.py </root/lines.json")
        found = {line: (status, out, err) for line, status, out, err in json.loads(said.splitlines()[-1])}
        assert self._state(dom0) == before
        assert not [line for line, (_, _, err) in found.items() if "bug in xlpy" in err or "Traceback" in err]
        for line in (
            "destroy web",
            "pause web",
            "rename web www",
            "mem-set web 24",
            "save web /root/work/web.save",
        ):
            assert found[line][0] == 0, found[line]
            assert "web" in found[line][1]
        assert sum(status == 0 for status, _, _ in found.values()) > len(found) // 2
        assert dom0.xl("dmesg")
        for line in ("create /root/work/new.cfg", "block-attach web /root/work/disk.img,raw,xvdd,w"):
            theirs = dom0.xl("-N", *line.split()).replace("Parsing config from /root/work/new.cfg\n", "")
            assert json.loads(
                found[line][1].partition(": ")[2] if line[0] == "b" else found[line][1]
            ) == json.loads(theirs.partition(": ")[2] if line[0] == "b" else theirs)

    def _state(self, dom0: Dom0) -> list[str]:
        return [MOVING.sub("~", dom0.run(*look.split(), check=False)) for look in LOOKS]

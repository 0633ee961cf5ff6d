"""The contract of engines, held by the libxl engine on a real Xen: the tests themselves travel into the dom0."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
from idle_kernel import idle_kernel
from xen_hosts import XenHost

pytestmark = pytest.mark.xen

ROOT = Path(__file__).parents[3]
# A dom0 has Python and no more, so pytest goes along; it is pure Python.
PYTEST = ("pytest", "_pytest", "py", "pluggy", "iniconfig", "packaging", "pygments")
HARNESS = (
    "eventually.py",
    "fake_engine.py",
    "fake_guest.py",
    "fake_devices.py",
    "fake_hypervisor.py",
    "in_process.py",
    "sample_configs.py",
)
# Two agents on one Xen are not two hosts: both would have the same domains. And libxc looks for the pages of a PVH
# domain's core one by one up to 4 GiB, which takes ten minutes here; test_xen_interworking.py dumps a PV domain's.
NOT_HERE = ("test_migration", "test_migration_that_is_dropped_leaves_the_source_running", "test_core")
CONTRACT_TIMEOUT_S = 900.0


def library(name: str) -> Path:
    """Where an installed package or module is."""
    spec = importlib.util.find_spec(name)
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent if spec.submodule_search_locations else Path(spec.origin)


ENVIRON = (
    "PYTHONPATH=lib",
    "XLPY_TEST_KERNEL=/srv/guest/idle",
    "XLPY_TEST_LINUX=/srv/guest/vmlinuz",
    "XLPY_TEST_RAMDISK=/srv/guest/initrd.img",
)


def test_contract(xen_host: XenHost) -> None:
    xen_host.put_tree([library(name) for name in PYTEST], "/opt/tests/lib")
    xen_host.put_tree([ROOT / "xlpy", ROOT / "pyproject.toml"], "/opt/tests")
    xen_host.put_tree([ROOT / "tests" / name for name in HARNESS], "/opt/tests/tests")
    xen_host.put_tree([ROOT / "tests/engine/test_contract.py"], "/opt/tests/tests/engine")
    xen_host.put("/srv/guest/idle", idle_kernel())
    done = xen_host.run(
        "sh",
        "-c",
        f"cd /opt/tests && {' '.join(ENVIRON)} python3 -m pytest -q --noconftest -p no:cacheprovider"
        " --durations=5 --basetemp /var/tmp/contract"
        f" tests/engine/test_contract.py -k 'libxl and not ({' or '.join(NOT_HERE)})'",
        check=False,
        timeout_s=CONTRACT_TIMEOUT_S,
    )
    print(done.stdout)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert " passed" in done.stdout
    assert xen_host.run("xl", "list").stdout.count("\n") == 2, "the header and Domain-0"

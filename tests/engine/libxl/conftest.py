"""What the tests on real Xen hosts share."""

from __future__ import annotations

import pytest
from xen_dom0 import Dom0
from xen_hosts import XenHost


@pytest.fixture(scope="class")
def dom0(xen_host: XenHost) -> Dom0:
    """xlpy and xl in the dom0 of ``xen_host``."""
    return Dom0(xen_host)

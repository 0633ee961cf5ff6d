"""What Ganeti's node daemon does with instances, by its own Xen hypervisor class; run in a DebianMachine.

    /usr/bin/python3 ganeti_node.py KIND INSTANCE METHOD...

KIND is xen-pvm or xen-hvm; INSTANCE is JSON: name, hvparams and beparams as in a cluster's configuration. Runs the METHODs, each of
which is a JSON list of its name and arguments, ``"@instance"`` for the instance and ``"@hvparams"`` for its
parameters; prints a JSON list of what they return.
"""

from __future__ import annotations

import json
import sys

sys.path.insert(0, "/usr/share/ganeti/3.0")

from ganeti import constants, objects
from ganeti.hypervisor import hv_xen


def main() -> None:
    kind, description, *methods = sys.argv[1:]
    classes = {"xen-pvm": hv_xen.XenPvmHypervisor, "xen-hvm": hv_xen.XenHvmHypervisor}
    hypervisor = classes[kind]()
    hypervisor.REBOOT_RETRY_INTERVAL = 1  # it looks again after 10 s otherwise
    given = json.loads(description)
    hvparams = {**constants.HVC_DEFAULTS[kind], **given["hvparams"]}
    instance = objects.Instance(
        name=given["name"], hypervisor=kind, hvparams=hvparams, beparams=given["beparams"], nics=[], disks=[]
    )
    stands_for = {"@instance": instance, "@hvparams": hvparams}
    results = []
    for method in methods:
        name, *arguments = json.loads(method)
        values = [stands_for.get(value, value) if isinstance(value, str) else value for value in arguments]
        results.append(getattr(hypervisor, name)(*values))
    print(json.dumps(results))


main()

"""What Ganeti's node daemon does with instances, by its own Xen hypervisor classes; run in a DebianMachine.

    /usr/bin/python3 ganeti_node.py KIND INSTANCE METHOD...

KIND is xen-pvm or xen-hvm. INSTANCE is JSON: name, hvparams, beparams, the files of its disks and the bridges of its
network cards. Runs the METHODs, each of which is a JSON list of its name and arguments, where ``"@instance"`` is the
instance, ``"@hvparams"`` its parameters and ``"@disks"`` its disks; prints a JSON list of what they return.
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
    nics = [
        objects.NIC(
            mac=f"00:16:3e:00:00:{number:02x}",
            uuid=f"00000000-0000-4000-8000-{number:012x}",
            nicparams={constants.NIC_MODE: "bridged", constants.NIC_LINK: bridge, constants.NIC_VLAN: ""},
        )
        for number, bridge in enumerate(given["bridges"], 1)
    ]
    instance = objects.Instance(
        name=given["name"],
        hypervisor=kind,
        hvparams=hvparams,
        beparams=given["beparams"],
        nics=nics,
        disks=[],
        tags=set(),
    )
    disks = [
        (
            objects.Disk(
                dev_type=constants.DT_FILE, logical_id=(constants.FD_LOOP, path), mode=constants.DISK_RDWR
            ),
            path,
            None,
        )
        for path in given["disks"]
    ]
    stands_for = {"@instance": instance, "@hvparams": hvparams, "@disks": disks}
    results = []
    for method in methods:
        name, *arguments = json.loads(method)
        values = [stands_for.get(value, value) if isinstance(value, str) else value for value in arguments]
        results.append(getattr(hypervisor, name)(*values))
    print(json.dumps(results))


main()

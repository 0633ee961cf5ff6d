"""What each operation that changes something does, in words: for plans.

An entry is a sentence with the operation's arguments in braces, or a function from them to one. ``{domain}`` is the domain's
name, ``{pool}`` the cpupool's.
"""

from __future__ import annotations

from xlpy.render.passthrough import address

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from xlpy.model.domain_config import DomainConfig

    Arguments = Mapping[str, Any]


def change_words(operation: str, arguments: Arguments) -> str:
    """What the operation would do with these arguments. LookupError for one that nobody has found words for."""
    words = CHANGES[operation]
    return words.format_map(arguments) if isinstance(words, str) else words(arguments)


def _create(arguments: Arguments) -> str:
    config: DomainConfig = arguments["config"]
    paused = ", and leave it paused" if arguments["paused"] else ""
    return f"create {_summary(config)}{paused}"


def _define(arguments: Arguments) -> str:
    newer = "" if arguments["base_version"] is None else f", after version {arguments['base_version']}"
    return f"remember {_summary(arguments['config'])}{newer}"


def _restore(arguments: Arguments) -> str:
    return f"restore {_summary(arguments['saved'].config)}"


def _summary(config: DomainConfig) -> str:
    memory_kib = config.b_info.target_memkb or config.b_info.max_memkb
    memory = "" if memory_kib is None else f", {memory_kib >> 10} MiB"
    vcpus = config.b_info.max_vcpus
    return f"{config.c_info.name}: {config.c_info.type.value}{memory}, {vcpus} vcpu{'s' if vcpus > 1 else ''}"


def _autostart(arguments: Arguments) -> str:
    if arguments["order"] is None:
        return "don't start {name} with the host any more".format_map(arguments)
    after = f", {arguments['delay_s']:g} s after the one before" if arguments["delay_s"] else ""
    return f"start {arguments['name']} with the host, at place {arguments['order']}{after}"


def _pci(words: str) -> Callable[[Arguments], str]:
    """A sentence about a PCI function, ``{address}``."""

    def sentence(arguments: Arguments) -> str:
        pci = arguments["pci"]
        return words.format_map({**arguments, "address": pci.name or address(pci)})

    return sentence


def _detach_disk(arguments: Arguments) -> str:
    asked = ", without asking the guest" if arguments["force"] else ""
    return "detach disk {vdev} from {domain}".format_map(arguments) + asked


def _attach_disk(arguments: Arguments) -> str:
    return f"attach disk {_disk(arguments)} to {arguments['domain']}"


def _insert_cdrom(arguments: Arguments) -> str:
    if not arguments["disk"].pdev_path:
        return "take the medium out of {disk.vdev} of {domain}".format_map(arguments)
    return "put {disk.pdev_path} into {disk.vdev} of {domain}".format_map(arguments)


def _disk(arguments: Arguments) -> str:
    disk = arguments["disk"]
    access = "writable" if disk.readwrite else "read-only"
    return f"{disk.vdev} ({disk.pdev_path or 'empty'}, {access})"


def _attach_nic(arguments: Arguments) -> str:
    nic = arguments["nic"]
    parts = [nic.mac and f"with mac {nic.mac}", nic.bridge and f"on bridge {nic.bridge}"]
    return " ".join(["attach a network card", *filter(None, parts), f"to {arguments['domain']}"])


def _affinity(arguments: Arguments) -> str:
    vcpu = "every vcpu" if arguments["vcpuid"] is None else f"vcpu {arguments['vcpuid']}"
    parts = [
        f"{words} {_numbers(cpus)}"
        for words, cpus in (("only on pcpus", arguments["hard"]), ("preferably on pcpus", arguments["soft"]))
        if cpus is not None
    ]
    return f"let {vcpu} of {arguments['domain']} run {' and '.join(parts) or 'where it does'}"


def _numbers(numbers: tuple[int, ...]) -> str:
    return ",".join(map(str, sorted(numbers)))


def _sched(arguments: Arguments) -> str:
    return f"set {_values(arguments, 'weight', 'cap')} of {arguments['domain']}"


def _values(arguments: Arguments, *names: str) -> str:
    return " and ".join(f"{name} {arguments[name]}" for name in names if arguments[name] is not None)


def _pool_sched(arguments: Arguments) -> str:
    params = arguments["params"]
    given = {name: getattr(params, name) for name in ("tslice_ms", "ratelimit_us", "migration_delay_us")}
    return f"set {_values(given, *given)} of cpupool {arguments['pool']}"


def _rtds(arguments: Arguments) -> str:
    rows = "; ".join(
        f"{'every vcpu' if row.vcpuid is None else f'vcpu {row.vcpuid}'}: period {row.period_us} us,"
        f" budget {row.budget_us} us, extra time {'yes' if row.extratime else 'no'}"
        for row in arguments["params"]
    )
    return f"schedule {arguments['domain']} by {rows}"


def _pool_cpus(words: str) -> Callable[[Arguments], str]:
    def sentence(arguments: Arguments) -> str:
        return words.format_map({**arguments, "cpus": _numbers(arguments["cpus"])})

    return sentence


def _psr(arguments: Arguments) -> str:
    sockets = arguments["sockets"]
    where = "every socket" if sockets is None else f"socket {_numbers(sockets)}"
    return "set {kind} of {domain} to {value:#x} on ".format_map(arguments) + where


def _quotas(arguments: Arguments) -> str:
    whose = (
        "the global xenstore quota"
        if arguments["domid"] is None
        else f"{arguments['domain']}'s xenstore quota"
    )
    return f"set {whose} {', '.join(f'{name}={value}' for name, value in arguments['quotas'].items())}"


def _overlay(arguments: Arguments) -> str:
    whose = "" if arguments["domid"] is None else f" to {arguments['domain']}"
    return f"{arguments['action']} the device tree overlay{whose}"


def _memory(words: str) -> Callable[[Arguments], str]:
    def sentence(arguments: Arguments) -> str:
        return f"{words} of {arguments['domain']} to {arguments['memory_kib'] / 1024:g} MiB"

    return sentence


CHANGES: dict[str, str | Callable[[Arguments], str]] = {
    "create_domain": _create,
    "destroy_domain": "destroy {domain}",
    "shutdown_domain": "ask {domain} to shut down",
    "reboot_domain": "ask {domain} to reboot",
    "pause_domain": "pause {domain}",
    "unpause_domain": "let {domain} run",
    "rename_domain": "rename {domain} to {name}",
    "update_config": "let {domain} have another configuration from its next restart on",
    "send_trigger": "send {trigger} to vcpu {vcpuid} of {domain}",
    "send_sysrq": "send the sysrq {letter} to {domain}",
    "dump_core": "write the memory of {domain} to a file",
    "suspend_to_ram": "ask {domain} to suspend to RAM",
    "resume_from_ram": "let {domain} resume from RAM",
    "qemu_monitor_command": "say to the QEMU of {domain}: {command}",
    "set_memory_target": _memory("balloon the memory"),
    "set_max_memory": _memory("set the memory limit"),
    "set_vcpus_online": "have {count} vcpus of {domain} online",
    "set_vcpu_affinity": _affinity,
    "set_sched_params": _sched,
    "set_rtds_params": _rtds,
    "set_pool_sched_params": _pool_sched,
    "attach_disk": _attach_disk,
    "detach_disk": _detach_disk,
    "insert_cdrom": _insert_cdrom,
    "attach_nic": _attach_nic,
    "detach_nic": "detach network card {device} from {domain}",
    "attach_pci": _pci("pass PCI device {address} to {domain}"),
    "detach_pci": _pci("take PCI device {address} back from {domain}"),
    "make_pci_assignable": _pci("take PCI device {address} from its driver, for domains to have"),
    "make_pci_unassignable": _pci("take PCI device {address} back from what domains may have"),
    "attach_usb_controller": "attach a USB controller to {domain}",
    "detach_usb_controller": "detach USB controller {devid} from {domain}, with all that is plugged into it",
    "attach_usb_device": "pass USB device {device.hostbus}.{device.hostaddr} to {domain}",
    "detach_usb_device": "take the USB device at port {port} of controller {controller} back from {domain}",
    "attach_vtpm": "attach a virtual TPM to {domain}",
    "detach_vtpm": "detach virtual TPM {device} from {domain}",
    "attach_vkb": "attach a virtual keyboard to {domain}",
    "detach_vkb": "detach virtual keyboard {devid} from {domain}",
    "attach_vdispl": "attach a virtual display to {domain}",
    "detach_vdispl": "detach virtual display {devid} from {domain}",
    "attach_vsnd": "attach a virtual sound card to {domain}",
    "detach_vsnd": "detach virtual sound card {devid} from {domain}",
    "create_cpupool": _pool_cpus("create cpupool {name} with scheduler {scheduler} and pcpus {cpus}"),
    "destroy_cpupool": "destroy cpupool {pool}",
    "rename_cpupool": "rename cpupool {pool} to {name}",
    "add_cpupool_cpus": _pool_cpus("add pcpus {cpus} to cpupool {pool}"),
    "remove_cpupool_cpus": _pool_cpus("remove pcpus {cpus} from cpupool {pool}"),
    "move_domain_to_cpupool": "move {domain} to cpupool {pool}",
    "console_ring": "clear the hypervisor's messages",
    "send_debug_keys": "send the debug keys {keys} to the hypervisor",
    "set_hypervisor_parameters": "set hypervisor parameters: {parameters}",
    "set_flask_enforcing": lambda a: f"set Flask to {'enforcing' if a['enforcing'] else 'permissive'}",
    "load_flask_policy": "load a Flask policy",
    "set_xenstore_quotas": _quotas,
    "apply_dt_overlay": _overlay,
    "attach_psr_monitoring": "watch the cache use of {domain}",
    "detach_psr_monitoring": "stop watching the cache use of {domain}",
    "set_psr_value": _psr,
    "define_domain": _define,
    "undefine_domain": "forget {name} and all versions of its configuration",
    "set_autostart": _autostart,
    "save_domain": "save the state of {domain}",
    "replicate_domain": "send every change of {domain} elsewhere",
    "release_saved": "end {domain}, whose state was saved",
    "resume_saved": "let {domain} go on after its state was saved",
    "restore_domain": _restore,
    "accept_restored": "let {domain} run, which was restored",
    "prepare_incoming": _restore,
    "copy_disk": "copy disk {vdev} of {domain}",
    "serve_disk": "take disk {vdev} of {domain}",
    "open_meeting": "wait for a host to connect for a migration",
    "receive_direct": _restore,
    "send_direct": "send the state of {domain} to another host",
    "abort_transfer": "break the migration of {domain} off",
    "give_up_restored": "give up what has been received of migration {transfer_id}",
    "settle_transfer": "settle migration {transfer_id} as {outcome}",
}
"""By operation; those that only look are not in it, but ``console_ring``, which can clear."""

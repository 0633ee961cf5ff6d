# What the guest's commands share.

# argument NAME: the value of NAME= on the kernel's command line, or failure.
argument() {
    local word
    for word in $(cat /proc/cmdline); do
        case $word in "$1"=*) echo "${word#*=}"; return 0 ;; esac
    done
    return 1
}

die() {
    echo "$0: $1" >&2
    exit 1
}

# block_device NAME: the device node of a disk, by node name, by the serial number the host gave it
# (QEMU's virtio disks carry the name they have in the configuration) or by position (xvdb is vdb).
block_device() {
    local name=${1#/dev/} disk part serial
    [ -b "/dev/$name" ] && { echo "/dev/$name"; return 0; }
    part=${name##*[!0-9]}
    disk=${name%"$part"}
    for serial in /sys/block/*/serial; do
        [ -e "$serial" ] && [ "$(cat "$serial")" = "$disk" ] || continue
        serial=${serial%/serial}
        echo "/dev/${serial##*/}$part"
        return 0
    done
    case $name in
    xvd*) [ -b "/dev/v${name#xv}" ] && { echo "/dev/v${name#xv}"; return 0; } ;;
    esac
    die "no block device '$1'"
}

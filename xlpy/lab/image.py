"""A dom0's disk and boot files, built out of Debian packages alone."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import re
import shutil
import tarfile
import tempfile
import time

from xlpy.errors import EngineError
from xlpy.lab.kernel import unpacked_kernel
from xlpy.lab.places import locked
from xlpy.lab.programs import TO_BUILD, require_programs, run_program
from xlpy.lab.recipe import EXCLUDED, dom0_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from xlpy.lab.keys import Keys
    from xlpy.lab.recipe import Release

    Say = Callable[[str], None]

_FORMAT = 1  # of an image's directory
_RECENT_S = 3600
_USUAL_MIRROR = "http://deb.debian.org/debian"
_MIRROR = re.compile(r"\bhttps?://\S+/debian/?(?=\s|$)", re.MULTILINE)
_APT_SOURCES = ("/etc/apt/sources.list", "/etc/apt/sources.list.d")


class Image:
    """What QEMU needs to boot a host: a disk, the hypervisor, and dom0's kernel and initrd."""

    def __init__(self, directory: str, release: Release) -> None:
        self.directory = directory
        self.release = release
        self.disk = os.path.join(directory, "disk.qcow2")
        self.xen = os.path.join(directory, "xen")
        self.kernel = os.path.join(directory, "vmlinux")
        self.initrd = os.path.join(directory, "initrd.img")
        self._users = os.path.join(directory, "users")

    def note_use(self, host_directory: str) -> None:
        """Write down that this host's disk stands on this image, which is kept as long as the host is there."""
        os.makedirs(self._users, exist_ok=True)
        link = os.path.join(self._users, hashlib.sha256(host_directory.encode()).hexdigest()[:16])
        if not os.path.lexists(link):
            os.symlink(host_directory, link)

    @property
    def is_used(self) -> bool:
        """Whether a host stands on it."""
        try:
            links = os.listdir(self._users)
        except FileNotFoundError:
            return False
        return any(os.path.exists(os.path.join(self._users, link)) for link in links)

    @property
    def is_recent(self) -> bool:
        """Whether something was made of it lately."""
        return time.time() - os.stat(self.directory).st_mtime < _RECENT_S


def ensure_image(cache: str, release: Release, keys: Keys, say: Say) -> Image:
    """The image of this release, from the cache or built now, by one of all who ask at the same time.

    Raises MissingProgram, or EngineError with what mmdebstrap said.
    """
    image = Image(os.path.join(cache, f"{release.xen}-{recipe_hash(release, keys)}"), release)
    if os.path.isdir(image.directory):
        return image
    require_programs(TO_BUILD if os.getuid() == 0 else (*TO_BUILD, "newuidmap"))
    with locked(_lock(cache, release)):
        if not os.path.isdir(image.directory):
            say(
                f"building a host with Xen {release.xen} from Debian's packages ({release.suite}); a minute or two"
            )
            _build(image, keys)
    return image


def remove_unused_images(cache: str, release: Release) -> None:
    """Remove images of older recipes of this release on which no host stands, nor one that is about to be made."""
    with locked(_lock(cache, release)):
        for name in os.listdir(cache):
            image = Image(os.path.join(cache, name), release)
            ours = name.startswith(f"{release.xen}-") and os.path.isdir(image.directory)
            if ours and not image.is_used and not image.is_recent:
                shutil.rmtree(image.directory, ignore_errors=True)


def _lock(cache: str, release: Release) -> str:
    return os.path.join(cache, f".{release.xen}.lock")


def recipe_hash(release: Release, keys: Keys) -> str:
    """A name for what is built: it changes with all that decides what is in an image."""
    digest = hashlib.sha256(overlay_tar(keys))
    digest.update(repr((_FORMAT, mmdebstrap_argv(release, "", as_root=True))).encode())
    return digest.hexdigest()[:16]


def _build(image: Image, keys: Keys) -> None:
    """Build beside the image's place and move it there when it is whole; whoever calls this holds the lock."""
    cache = os.path.dirname(image.directory)
    prefix = f"build-{image.release.xen}-"
    for name in os.listdir(cache):
        if name.startswith(prefix):  # of somebody who was killed
            shutil.rmtree(os.path.join(cache, name), ignore_errors=True)
    fresh = tempfile.mkdtemp(prefix=prefix, dir=cache)
    try:
        with open(os.path.join(fresh, "overlay.tar"), "wb") as overlay:
            overlay.write(overlay_tar(keys))
        run_program(mmdebstrap_argv(image.release, find_mirror(), os.getuid() == 0), cwd=fresh)
        os.unlink(os.path.join(fresh, "overlay.tar"))
        _unpack_boot_files(fresh)
        os.rename(fresh, image.directory)
    except EngineError as error:
        hint = "is the network there, and the Debian mirror? what it said is above"
        raise EngineError(
            f"cannot build a host with Xen {image.release.xen}: {error.message}", hint, detail=error.detail
        ) from error
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def mmdebstrap_argv(release: Release, mirror: str, as_root: bool) -> list[str]:
    """The command that leaves ``disk.qcow2`` and ``boot.tar`` in the working directory, where ``overlay.tar`` is."""
    pack = dom0_file("pack").decode()
    return [
        "mmdebstrap",
        *(f"--mode={'root' if as_root else 'unshare'}", "--variant=minbase", "--format=null"),
        f"--include={','.join(release.packages)}",
        *(f"--dpkgopt=path-exclude={pattern}" for pattern in EXCLUDED),
        "--dpkgopt=force-unsafe-io",
        '--aptopt=Acquire::Languages "none"',
        "--customize-hook=tar-in overlay.tar /",
        '--customize-hook=chroot "$1" sh /etc/lab/assemble',
        "--customize-hook=tar-out /lab boot.tar",
        '--customize-hook=rm -r "$1/lab"',
        f"--customize-hook={pack}",
        "--customize-hook=download /disk.qcow2 disk.qcow2",
        *(release.suite, "-", f"deb {mirror} {release.suite} main"),
    ]


def find_mirror() -> str:
    """The Debian mirror that this machine's apt uses, or the usual one."""
    for place in _APT_SOURCES:
        paths = [place]
        if os.path.isdir(place):
            paths = [os.path.join(place, name) for name in sorted(os.listdir(place))]
        for path in paths:
            try:
                with open(path, encoding="utf-8", errors="replace") as file:
                    found = _MIRROR.search(re.sub(r"#.*", "", file.read()))
            except OSError:
                continue
            if found:
                return found[0].rstrip("/")
    return _USUAL_MIRROR


def overlay_tar(keys: Keys) -> bytes:
    """The lab's own files in dom0, as an archive that belongs to root."""
    known_hosts = b"lab*,10.9.0.*,127.0.0.1 " + keys.public("host")
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as archive:

        def add(path: str, data: bytes, mode: int = 0o644) -> None:
            entry = tarfile.TarInfo(path)
            entry.size, entry.mode = len(data), mode
            archive.addfile(entry, io.BytesIO(data))

        for directory, mode in (("etc/lab", 0o755), ("root/.ssh", 0o700)):
            entry = tarfile.TarInfo(directory)
            entry.type, entry.mode = tarfile.DIRTYPE, mode
            archive.addfile(entry)
        for name in ("rc", "initrd-init", "assemble"):
            add(f"etc/lab/{name}", dom0_file(name), 0o755)
        add("etc/inittab", dom0_file("inittab"))
        add("etc/fstab", b"/dev/vda / ext4 rw,noatime 0 0\n")
        add("etc/hostname", b"xen\n")
        add(
            "etc/hosts",
            b"127.0.0.1 localhost\n" + b"".join(b"10.9.0.%d lab%d\n" % (n, n) for n in range(1, 10)),
        )
        add("etc/ssh/sshd_config.d/lab.conf", dom0_file("sshd.conf"))
        add("etc/ssh/ssh_host_ed25519_key", keys.private("host"), 0o600)
        add("etc/ssh/ssh_host_ed25519_key.pub", keys.public("host"))
        add("etc/ssh/ssh_known_hosts", known_hosts)
        add("root/.ssh/authorized_keys", keys.public("user") + keys.public("dom0"), 0o600)
        add("root/.ssh/id_ed25519", keys.private("dom0"), 0o600)
    return content.getvalue()


def _unpack_boot_files(directory: str) -> None:
    """Hypervisor and kernel as QEMU's multiboot loader takes them, out of boot.tar."""
    archive_path = os.path.join(directory, "boot.tar")
    with tarfile.open(archive_path) as archive:

        def member(name: str) -> bytes:
            file = archive.extractfile(f"lab/{name}")
            assert file is not None
            return file.read()

        files = {
            "xen": gzip.decompress(member("xen.gz")),
            "vmlinux": unpacked_kernel(member("vmlinuz")),
            "initrd.img": member("initrd.img"),
        }
    os.unlink(archive_path)
    for name, content in files.items():
        with open(os.path.join(directory, name), "wb") as file:
            file.write(content)

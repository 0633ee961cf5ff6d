"""The codes that findings about config files have, and what each means: ``xlpy config check``, xlpy.cfg(5)."""

from __future__ import annotations

ERRORS: dict[str, str] = {
    "syntax": "the text does not follow the grammar",
    "missing": "something that every domain needs is not given",
    "unknown-value": "a word that the setting does not take",
    "bad-value": "a value that the setting does not take, or that contradicts another",
    "bad-spec": "a device or list is described in a way that cannot be read",
    "extended": "an include or a variable of an extended file does not work",
    "unreadable": "the file cannot be read",
    "xml": "this is no domain XML of libvirt",
}
"""What makes a file unusable, in xl, too, but for ``extended`` and ``xml``, which xl does not have."""

WARNINGS: dict[str, str] = {
    "unknown-key": "no such setting; xl is silent about it",
    "not-a-value": "a list where a single value belongs; it has no effect",
    "not-a-list": "a single value where a list belongs; it has no effect",
    "not-a-number": "a number is expected; the setting has no effect",
    "nested-list": "a list inside a list that has none; what follows has no effect",
    "ignored-key": "a setting that has no effect any more",
    "overridden": "another setting takes the place of this one",
    "incomplete": "the setting needs another one to have an effect",
    "deprecated": "an old form that works, and what to write instead",
    "bad-affinity": "a bad CPU list, which without vcpus is not read",
    "vif-piece": "part of a network card is unknown and has no effect",
    "vfb-piece": "part of a framebuffer is unknown and has no effect",
    "vnuma-piece": "part of a virtual node is unknown and has no effect",
    "piece": "part of a device is unknown and has no effect",
    "cpuid": "a CPU feature or register that has no effect",
    "ioport-rest": "what stands behind the number of a port has no effect",
    "rdm": "a reserved memory policy that has no effect",
    "unused-variable": "a variable is given that nothing uses",
    "too-many": "there are more warnings than are shown",
}
"""What has no effect, or not the one it seems to have."""

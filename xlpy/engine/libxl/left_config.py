"""What ``xl config-update`` leaves beside a domain for its next start: text in xl's language, which the host's xl reads."""

from __future__ import annotations

import os
import subprocess

from xlpy.errors import ConfigError, MissingProgram
from xlpy.model.domain_config import DomainConfig
from xlpy.model.json_text import loads
from xlpy.model.libxl_form import from_libxl

_TIMEOUT_S = 30


def read_as_xl(text: bytes) -> DomainConfig:
    """The configuration that this text is to xl (``xl create --dryrun``). Raises ConfigError, MissingProgram."""
    file = os.memfd_create("xl config-update", os.MFD_CLOEXEC)
    try:
        os.write(file, text)
        done = subprocess.run(
            ("xl", "create", "--dryrun", "--quiet", f"/proc/self/fd/{file}"),
            pass_fds=(file,),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_TIMEOUT_S,
            check=False,
        )
    except FileNotFoundError:
        raise MissingProgram("xl is not there to read what xl config-update has left") from None
    except subprocess.TimeoutExpired as error:
        raise ConfigError(f"xl has not read what xl config-update left within {_TIMEOUT_S} s") from error
    finally:
        os.close(file)
    try:
        return from_libxl(DomainConfig, loads(done.stdout.decode()))
    except ValueError as error:
        detail = done.stderr.decode(errors="replace").strip()
        raise ConfigError("xl cannot read what xl config-update has left", detail=detail) from error

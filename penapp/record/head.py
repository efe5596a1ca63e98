"""Who and what a session is about: metadata records with a check sum of their own."""

from __future__ import annotations

import platform
import sys
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from zlib import crc32

from firmware_protocol.descriptor import Descriptor
from firmware_protocol.errors import ProtocolError
from penapp.record.layout import FORMAT_VERSION
from penapp.record.types import Consent, WriterNote

SESSION = "penapp.session"
DESCRIPTOR = "penapp.descriptor"
CALIBRATION = "penapp.calibration"
SOFTWARE = "penapp.software"
CONSENT = "penapp.consent"
WRITER = "penapp.writer"
SUMMARY = "penapp.summary"
RECOVERED = "penapp.recovered"
OURS = "penapp."
CHECK = "crc32"

Metadata = dict[str, str]


def _software() -> Metadata:
    return software_versions()


@dataclass(frozen=True, slots=True)
class SessionHead:
    """What is known when a session begins.

    created_ns:          nanoseconds since 1970
    monotonic_offset_ns: log_time = arrival (`time.perf_counter_ns`) + this
    calibration:         the pen's calibration, JSON as `calibration.store` writes it; empty if there is none
    software:            name -> version
    """

    descriptor: Descriptor
    session_id: str = field(default_factory=lambda: uuid.uuid4().hex)
    created_ns: int = field(default_factory=time.time_ns)
    monotonic_offset_ns: int = field(default_factory=lambda: time.time_ns() - time.perf_counter_ns())
    title: str = ""
    calibration: str = ""
    software: Mapping[str, str] = field(default_factory=_software)
    consent: Consent | None = None
    writer: WriterNote | None = None

    def metadata(self) -> dict[str, Metadata]:
        """Name -> values of each metadata record, in the order in which they are written."""
        records = {
            SESSION: {
                "format": str(FORMAT_VERSION),
                "session_id": self.session_id,
                "created_ns": str(self.created_ns),
                "monotonic_offset_ns": str(self.monotonic_offset_ns),
                "title": self.title,
            },
            DESCRIPTOR: _descriptor_values(self.descriptor),
            SOFTWARE: dict(self.software),
        }
        if self.calibration:
            records[CALIBRATION] = {"json": self.calibration}
        if self.consent is not None:
            records[CONSENT] = _consent_values(self.consent)
        if self.writer is not None:
            records[WRITER] = {"pseudonym": self.writer.pseudonym, **dict(self.writer.facts)}
        return records


def head_from(records: Mapping[str, Metadata]) -> SessionHead | None:
    """The head that these metadata records state; None when what a session cannot do without is missing."""
    session, stated = records.get(SESSION, {}), records.get(DESCRIPTOR, {})
    try:
        descriptor = Descriptor.decode(bytes.fromhex(stated["hex"]))
        return SessionHead(
            descriptor=descriptor,
            session_id=session.get("session_id", ""),
            created_ns=int(session.get("created_ns", "0")),
            monotonic_offset_ns=int(session.get("monotonic_offset_ns", "0")),
            title=session.get("title", ""),
            calibration=records.get(CALIBRATION, {}).get("json", ""),
            software=dict(records.get(SOFTWARE, {})),
            consent=_consent(records.get(CONSENT)),
            writer=_writer(records.get(WRITER)),
        )
    except (KeyError, ValueError, ProtocolError):
        return None


def checked(values: Mapping[str, str]) -> Metadata:
    """The values with their check sum: MCAP protects chunks, not metadata."""
    return {**values, CHECK: f"{_sum(values):08x}"}


def verified(name: str, values: Mapping[str, str]) -> Metadata | None:
    """The values without their check sum; None if they were damaged. Records of other programs have none."""
    bare = {key: value for key, value in values.items() if key != CHECK}
    stated = values.get(CHECK)
    if stated is None:
        return None if name.startswith(OURS) else bare
    return bare if stated == f"{_sum(bare):08x}" else None


def software_versions() -> dict[str, str]:
    """This program and what the recording depends on; nothing that names the machine or the person."""
    names = ("penapp", "numpy", "onnxruntime", "mcap", "bleak", "pyserial")
    found = {"python": platform.python_version(), "system": sys.platform}
    for name in names:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = ""
    return found


def _sum(values: Mapping[str, str]) -> int:
    parts = (f"{len(name.encode())}:{name}{len(value.encode())}:{value}" for name, value in values.items())
    return crc32("".join(sorted(parts)).encode())


def _descriptor_values(descriptor: Descriptor) -> Metadata:
    return {
        "hex": descriptor.encode().hex(),
        "name": descriptor.name,
        "device_id": descriptor.device_id.hex(),
        "boot_id": f"{descriptor.boot_id:08x}",
        "firmware": descriptor.firmware,
        "rate_hz": " ".join(f"{stream.rate_hz:g}" for stream in descriptor.streams),
    }


def _consent_values(consent: Consent) -> Metadata:
    return {
        "version": consent.version,
        "text": consent.text,
        "language": consent.language,
        "given_ns": str(consent.given_ns),
    }


def _consent(values: Metadata | None) -> Consent | None:
    if values is None:
        return None
    return Consent(
        values.get("version", ""),
        values.get("text", ""),
        values.get("language", ""),
        int(values.get("given_ns", "0")),
    )


def _writer(values: Metadata | None) -> WriterNote | None:
    if values is None:
        return None
    facts = tuple((name, value) for name, value in values.items() if name != "pseudonym")
    return WriterNote(values.get("pseudonym", ""), facts)

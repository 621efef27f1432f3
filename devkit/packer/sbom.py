"""The software bill of materials: what was vendored, with hashes, sizes and licences, as CycloneDX."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import ExternalReference, ExternalReferenceType, HashAlgorithm, HashType, Property, XsUri
from cyclonedx.model.bom import Bom, BomMetaData
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL
from packaging.utils import canonicalize_name

from devkit.packer.package import RELEASE_NOTES, Package, PackError
from devkit.packer.pins import Pin
from devkit.packer.wheel import Wheel

SIZE_PROPERTY = "mimecast:wheel:bytes"
FILE_PROPERTY = "mimecast:wheel:file"


def write_sbom(path: Path, package: Package, wheels: Sequence[Wheel], pins: Sequence[Pin], zip_sha256: str) -> None:
    """Write the bill of a package; the same package always gives the same text.

    Args:
        path: Where.
        package: The package.
        wheels: What was vendored.
        pins: What was wanted; they know where wheels came from that are not on the package index.
        zip_sha256: Hash of the ZIP.

    Raises:
        PackError: The file can't be written.
    """
    urls = {pin.name: pin.url for pin in pins}
    subject = Component(
        name=package.identifier,
        version=str(package.integration.get("Version")),
        type=ComponentType.APPLICATION,
        bom_ref=package.identifier,
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=zip_sha256)],
    )
    components = {wheel.name: _component(wheel, urls.get(wheel.name, "")) for wheel in wheels}
    released = max((int(note.get("PublishTime", 0)) for note in package.rows(RELEASE_NOTES)), default=0)
    bom = Bom(
        serial_number=uuid.uuid5(uuid.NAMESPACE_OID, zip_sha256),
        metadata=BomMetaData(component=subject, timestamp=datetime.fromtimestamp(released, UTC)),
        components=components.values(),
    )
    bom.register_dependency(subject, components.values())
    for wheel in wheels:
        needed = {canonicalize_name(requirement.name) for requirement in wheel.requirements()}
        bom.register_dependency(
            components[wheel.name], [components[name] for name in sorted(needed & components.keys())]
        )
    try:
        path.write_text(JsonV1Dot6(bom).output_as_string(indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise PackError(f"{path}: it can't be written: {error.strerror}") from None


def _component(wheel: Wheel, url: str) -> Component:
    return Component(
        name=wheel.display_name,
        version=str(wheel.version),
        type=ComponentType.LIBRARY,
        bom_ref=f"{wheel.name}@{wheel.version}",
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=wheel.sha256)],
        licenses=[LicenseFactory().make_from_string(wheel.licence)],
        purl=None if url else PackageURL("pypi", name=wheel.name, version=str(wheel.version)),
        external_references=[ExternalReference(type=ExternalReferenceType.DISTRIBUTION, url=XsUri(url))] if url else [],
        properties=[
            Property(name=FILE_PROPERTY, value=wheel.file),
            Property(name=SIZE_PROPERTY, value=str(len(wheel.content))),
        ],
    )

"""Rules on what definitions carry: pictures, examples of results, and the terms of mapping rules."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Iterator

import defusedxml.ElementTree
from defusedxml import DefusedXmlException
from PIL import Image

from devkit.packer.event_terms import EventTerms
from devkit.packer.package import ACTION, MAPPING_RULES, Finding, Package, objects

_SVG_ROOTS = frozenset({"svg", "{http://www.w3.org/2000/svg}svg"})
_TERMS = (
    "RawDataPrimaryFieldMatchTerm",
    "RawDataSecondaryFieldMatchTerm",
    "RawDataThirdFieldMatchTerm",
)
_TIMES = ("StartTime", "EndTime")


def pictures_are_readable(package: Package) -> Iterator[Finding]:
    """The logo is a PNG, its drawing an SVG."""
    try:
        with Image.open(io.BytesIO(_decode(package.integration.get("ImageBase64"))), formats=["PNG"]) as image:
            image.load()
    except (OSError, ValueError, SyntaxError) as error:
        yield Finding(package.integration_path, f"ImageBase64 is no readable PNG: {error}")
    try:
        root = defusedxml.ElementTree.fromstring(str(package.integration.get("SVGImage")))
    except (defusedxml.ElementTree.ParseError, DefusedXmlException) as error:
        yield Finding(package.integration_path, f"SVGImage is no well-formed SVG: {error}")
        return
    if root.tag not in _SVG_ROOTS:
        yield Finding(package.integration_path, f"SVGImage's root is <{root.tag}>, not <svg>")


def _decode(text: object) -> bytes:
    return base64.b64decode(str(text), validate=True)


def examples_are_json(package: Package) -> Iterator[Finding]:
    """The example of an action's result is JSON in a text; so is the simulation data."""
    for path, action in package.definitions(ACTION).items():
        texts = [("SimulationDataJson", action.get("SimulationDataJson"))]
        for result in objects(action.get("DynamicResultsMetadata")):
            texts.append((f'ResultExample of "{result.get("ResultName")}"', result.get("ResultExample")))
        for where, text in texts:
            try:
                if text:
                    json.loads(str(text))
            except ValueError as error:
                yield Finding(path, f"{where} is no JSON: {error}")


def mapping_terms_exist(package: Package, terms: EventTerms) -> Iterator[Finding]:
    """Each mapping rule takes its value from fields that such events have; start and end of an event are mapped.

    Args:
        package: The package.
        terms: Event type to the keys of such events.
    """
    rules = package.rows(MAPPING_RULES)
    everywhere = frozenset.intersection(*terms.values()) if terms else frozenset()
    for number, rule in enumerate(rules):
        where, event = f"[{number}] {rule.get('SecurityEventFieldName')}", rule.get("EventName")
        if event and event not in terms:
            yield Finding(MAPPING_RULES, f"{where}: the connector makes no event {event!r}")
            continue
        for key in _TERMS:
            term = rule.get(key)
            if term and term not in (terms[event] if event else everywhere):
                of = f"{event!r} events" if event else "all events"
                yield Finding(MAPPING_RULES, f"{where}: {key} {term!r} is no field of {of}")
    for field in _TIMES:
        if rules and not any(rule.get("SecurityEventFieldName") == field for rule in rules):
            yield Finding(MAPPING_RULES, f"{field} is not mapped; without it alerts are not grouped")

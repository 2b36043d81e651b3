"""Who and what the references of a FHIR file point at: patients, medications, organisations and reports, found in a first reading.

A patient is the identifier of the Patient resource: of those with a value, the one of type MR, of use official, of any other use, in
this order; identifiers of use old or temp and identity numbers (social security, passport, driving licence) are left alone. Its
assigner is its system. A Patient without an identifier is its resource id under the server's base address.

A reference is looked up in its own file, and a `subject.identifier` counts where the resource is not in the file. A reference to a
Patient that is in another file is that resource id under the server's base address; where that Patient was loaded before, ingest puts
its id in the place (`links`, `unlinked`: a bulk export has a file for each type, and a load takes the patients first). Two Patient
resources of one id that name different people make every reference to that id patient_ambiguous, unless they are versions
(meta.versionId) of a history.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple
from urllib.parse import unquote

from pipelines.sources.declared import Declared
from pipelines.sources.fhir.elements import Unreadable, many, one, text

# A report issues its results; so many are remembered, and the load says so when there are more.
MOST_RESULTS = 1_000_000
ADDRESS = re.compile(r"(?:(?P<base>https?://[^?#]+)/)?(?P<type>[A-Za-z]+)/(?P<id>[^/?#\s]+)(?:/_history/[^/?#\s]+)?")
IDENTITY_NUMBERS = frozenset(("SS", "SB", "PPN", "DL", "TAX", "NIIP", "CZ", "HC", "MI"))
NOT_IN_THIS_FILE = "rows name a patient whose Patient resource is not in this file"
SEVERAL_SERVERS = "where files of several servers are loaded, declare an assigner"
INDEXED = ("Patient", "Medication", "Organization", "DiagnosticReport")


class Identity(NamedTuple):
    """A patient's identifier, as printed, and who assigned it ('' when the file does not say)."""

    value: str
    assigner: str


AMBIGUOUS = Identity("", "two different patients")


class Address(NamedTuple):
    """A reference, or the address of a resource: its keys in the index, the surest first; base, type and id where it has them."""

    keys: tuple[str, ...]
    base: str = ""
    type: str = ""
    id: str = ""


def address(printed_as: str, base: str = "") -> Address:
    """Reads 'Patient/1', 'https://server/fhir/Patient/1/_history/2' or 'urn:uuid:...'. `base`: of the entry that holds it."""
    found = ADDRESS.fullmatch(printed_as)
    if not found:
        return Address((printed_as,))
    own = f"{found['type']}/{found['id']}"
    base = found["base"] or base
    return Address((f"{base}/{own}", own) if base else (own,), base, found["type"], found["id"])


def base_of(full_url: str) -> str:
    """The server's address in an entry's fullUrl; '' where it has none."""
    found = ADDRESS.fullmatch(full_url)
    return (found["base"] or "") if found else ""


def identifier_of(holder: dict) -> Identity | None:
    """The identifier in an `identifier` element of a reference."""
    return _identity(one(holder, "identifier"))


def _identity(identifier: dict) -> Identity | None:
    value = text(identifier, "value")
    if not value:
        return None
    assigner = one(identifier, "assigner")
    return Identity(value, text(identifier, "system") or text(assigner, "display") or "")


def patient_identity(patient: dict, base: str = "") -> Identity | None:
    """Who a Patient resource is. None when it has neither identifier nor id. Raises Unreadable."""
    best: tuple[int, Identity] | None = None
    for identifier in many(patient, "identifier"):
        found, use = _identity(identifier), text(identifier, "use")
        types = {text(coding, "code") for coding in many(one(identifier, "type"), "coding")}
        if found is None or use in ("old", "temp") or types & IDENTITY_NUMBERS:
            continue
        rank = (4 if "MR" in types else 0) + {"official": 2, "usual": 1}.get(use, 0)
        if best is None or rank > best[0]:
            best = rank, found
    if best:
        return best[1]
    own = text(patient, "id")
    return Identity(own, base) if own else None


class Index:
    """What the resources of one file are called, and what references to them mean."""

    def __init__(self, declared: Declared, of_versions: bool = False) -> None:
        self._ids, self._kept = declared.ids, declared.ids.are_kept(False)
        self._of_versions = of_versions
        self.patients: dict[str, Identity] = {}
        self.medications: dict[str, dict] = {}
        self.organisations: dict[str, str] = {}
        self.issued: dict[str, str] = {}
        self.withdrawn: set[str] = set()
        self.links: dict[str, str] = {}  # what a Patient is called by its resource id alone -> its id in the store
        self.durable_links: set[str] = set()
        # Of the links that name their server: the id in the store that a reference to it has in a file that does not know them.
        self.references: dict[str, str] = {}
        self._identifiers: set[str] = set()
        self.unlinked: dict[str, str] = {}  # id in the store of a Patient that is not in this file -> what it is called
        self.odd: Counter[str] = Counter()
        self.seen: Counter[str] = Counter()

    def add(self, resource: dict, full_url: str = "") -> None:
        """Takes a resource into the index, as far as it can be read."""
        kind, own, base = resource.get("resourceType"), resource.get("id"), base_of(full_url)
        keys = [full_url] if full_url else []
        if isinstance(own, str):
            keys += [key for key in address(f"{kind}/{own}", base).keys if key not in keys]
        try:
            if kind == "Patient":
                identity = patient_identity(resource, base)
                for key in keys if identity else ():
                    before = self.patients.get(key, identity)
                    self.patients[key] = identity if before == identity or self._of_versions else AMBIGUOUS
                if identity:
                    self._identifiers.add(identity.value)
                    self._link(base, own, self.patients[keys[-1]] if keys else identity)
            elif kind == "Medication":
                self.medications |= dict.fromkeys(keys, one(resource, "code"))
            elif kind == "Organization":
                self.organisations |= dict.fromkeys(keys, text(resource, "name") or "")
            elif kind == "DiagnosticReport":
                self._add_report(resource, base)
        except Unreadable:
            return  # it is refused where it stands

    def _add_report(self, report: dict, base: str) -> None:
        issued = text(report, "issued")
        withdrawn = text(report, "status") in ("entered-in-error", "cancelled")
        for result in many(report, "result"):
            key = address(text(result, "reference") or "", base).keys[0]
            if withdrawn:
                self.withdrawn.add(key)
            elif issued and len(self.issued) < MOST_RESULTS:
                self.issued[key] = issued
            elif issued:
                self.odd["results whose issue time stands only in a report beyond the first million"] += 1

    def patient_id(self, reference: dict, base: str = "", contained: dict[str, dict] | None = None) -> str | None:
        """The store's id of the patient that a reference names; None when it names none. Raises Unreadable: patient_ambiguous."""
        return self.store_id(self._named(reference, base, contained or {}))

    def _link(self, base: str, own: object, identity: Identity) -> None:
        if isinstance(own, str) and identity is AMBIGUOUS:
            self.links.pop(self.alias(base, own), None)
        elif isinstance(own, str):
            self.links[self.alias(base, own)] = self.store_id(identity)
            if base or self._ids.assigner:
                self.durable_links.add(self.alias(base, own))
            if base and not self._kept and not self._ids.assigner:  # else it may be somebody else's identifier
                self.references[self.alias(base, own)] = self.store_id(Identity(own, base))

    def alias(self, base: str, own: str) -> str:
        """What a Patient is called by its resource id alone, in a form that tells no identifier."""
        return f"{base}/Patient/{own}" if self._kept else self._ids.pseudonym(f"Patient/{own}", base)

    def store_id(self, identity: Identity | None) -> str | None:
        """The id of the store."""
        if identity is None:
            return None
        if identity is AMBIGUOUS:
            raise Unreadable("patient_ambiguous", "subject")
        return identity.value if self._kept else self._ids.pseudonym(identity.value, identity.assigner)

    def _named(self, reference: dict, base: str, contained: dict[str, dict]) -> Identity | None:
        named, logical = text(reference, "reference"), identifier_of(reference)
        if text(reference, "type") not in (None, "Patient"):
            return None
        if not named:
            return logical
        if named.startswith("#"):
            patient = contained.get(named[1:], {})
            inside = {name: value for name, value in patient.items() if name != "id"}
            return patient_identity(inside) if patient.get("resourceType") == "Patient" else logical
        if named.startswith("Patient?identifier="):
            system, _, value = unquote(named.partition("=")[2]).rpartition("|")
            return Identity(value, system) if value and "&" not in value else None
        at = address(named, base)
        for key in at.keys:
            if key in self.patients:
                return self.patients[key]
        if logical:
            return logical
        if at.type != "Patient":
            return None
        self.odd[NOT_IN_THIS_FILE if at.base else f"{NOT_IN_THIS_FILE}; {SEVERAL_SERVERS}"] += 1
        found = Identity(at.id, at.base)
        if not (self._kept and at.id in self._identifiers):
            self.unlinked[self.store_id(found)] = self.alias(at.base, at.id)
        return found

    def called(self, printed: str, bases: Iterable[str]) -> Iterator[str]:
        """Every id of the store, and every name in `links`, that a reference to a Patient can stand for under these servers."""
        for base in bases:
            at = address(printed, base)
            for key in at.keys:
                if self.patients.get(key, AMBIGUOUS) != AMBIGUOUS:
                    yield self.store_id(self.patients[key])
            yield from (self.store_id(Identity(at.id, at.base)), self.alias(at.base, at.id))

    def medication(self, reference: dict, base: str, contained: dict[str, dict]) -> dict:
        """The code of the medication that a reference names; what the reference itself prints where it is not in the file."""
        named = text(reference, "reference") or ""
        if named.startswith("#"):
            return one(contained.get(named[1:], {}), "code")
        found = next((self.medications[key] for key in address(named, base).keys if key in self.medications), None)
        display = text(reference, "display")
        return found or ({"text": display} if display else {})

    def organisation(self, reference: dict, base: str, contained: dict[str, dict]) -> str | None:
        """The name of an organisation; what the reference prints where it is not in the file. None for persons."""
        named = text(reference, "reference") or ""
        if named.startswith("#"):
            inside = contained.get(named[1:], {})
            return text(inside, "name") if inside.get("resourceType") == "Organization" else None
        at = address(named, base)
        kind = at.type or text(reference, "type")
        found = next((self.organisations[key] for key in at.keys if key in self.organisations), None)
        if found or kind not in (None, "", "Organization") or (named and not kind):
            return found
        return text(reference, "display")


def own_keys(resource: dict, full_url: str) -> tuple[str, ...]:
    """The keys under which a report may name this resource."""
    own = resource.get("id")
    keys = address(f"{resource.get('resourceType')}/{own}", base_of(full_url)).keys if isinstance(own, str) else ()
    return (full_url, *keys) if full_url else keys

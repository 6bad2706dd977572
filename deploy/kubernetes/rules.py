"""What we ask of manifests beyond Kubernetes' schema: hardened pods, honest probes, no loose reference."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

Document: TypeAlias = Mapping[str, Any]

WORKLOADS = frozenset({"Deployment", "StatefulSet", "DaemonSet", "Job"})
ENDING = frozenset({"Job"})
RELEASE_SECONDS_MIN = 5  # for how long a stopping pod may still be sent requests


def broken(documents: Sequence[Document]) -> Iterator[str]:
    """Every rule that does not hold, as a sentence that begins with the document it is about."""
    for document in documents:
        if document["kind"] in WORKLOADS:
            for rule in POD_RULES:
                yield from (f"{name(document)}: {fault}" for fault in rule(document))
    for whole in BUILD_RULES:
        yield from whole(documents)


def name(document: Document) -> str:
    return f"{document['kind']} {document['metadata']['name']}"


def pod(document: Document) -> Document:
    spec: Document = document["spec"]["template"]["spec"]
    return spec


def containers(document: Document) -> Iterable[Document]:
    return [*pod(document).get("initContainers", ()), *pod(document)["containers"]]


# Of one pod


def is_nobody(document: Document) -> Iterator[str]:
    """Not root, by a number that the kubelet can check, with the runtime's seccomp profile and no token."""
    context = pod(document).get("securityContext", {})
    if not context.get("runAsNonRoot") or not context.get("runAsUser"):
        yield "runs as root, or as a user without a number"
    if context.get("seccompProfile", {}).get("type") != "RuntimeDefault":
        yield "has no seccomp profile"
    if pod(document).get("automountServiceAccountToken") is not False:
        yield "is given a token of the cluster"


def cannot_change_itself(document: Document) -> Iterator[str]:
    for container in containers(document):
        context = container.get("securityContext", {})
        if not context.get("readOnlyRootFilesystem"):
            yield f"{container['name']} may write to its own image"
        if context.get("allowPrivilegeEscalation") is not False:
            yield f"{container['name']} may gain privileges"
        if context.get("capabilities") != {"drop": ["ALL"]}:
            yield f"{container['name']} keeps capabilities"


def has_bounds(document: Document) -> Iterator[str]:
    for container in containers(document):
        resources = container.get("resources", {})
        if not {"cpu", "memory"} <= resources.get("requests", {}).keys():
            yield f"{container['name']} does not say what it needs"
        if "memory" not in resources.get("limits", {}):
            yield f"{container['name']} may take all memory"


def names_its_image(document: Document) -> Iterator[str]:
    for container in containers(document):
        _, _, tag = container["image"].rpartition("/")[2].partition(":")
        if "@sha256:" not in container["image"] and tag in {"", "latest"}:
            yield f"{container['name']} runs whatever {container['image']} is today"


def is_probed(document: Document) -> Iterator[str]:
    if document["kind"] in ENDING:
        return
    for container in pod(document)["containers"]:
        for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
            if probe not in container:
                yield f"{container['name']} has no {probe}"
        path = container.get("livenessProbe", {}).get("httpGet", {}).get("path")
        if path == "/readyz":
            yield f"{container['name']} is restarted when a dependency is down"


def leaves_politely(document: Document) -> Iterator[str]:
    """A pod behind a Service goes on answering until it is sent no more requests, and has the time to."""
    if document["kind"] != "Deployment":
        return
    for container in containers(document):
        pause = container.get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
        if pause < RELEASE_SECONDS_MIN:
            yield f"{container['name']} stops while it is still sent requests"
        if pod(document).get("terminationGracePeriodSeconds", 30) < pause + 30:
            yield f"{container['name']} has no time to answer what it began"


# Of the whole build


def refers_to_what_exists(documents: Sequence[Document]) -> Iterator[str]:
    """A secret, setting or volume that is misnamed leaves a pod waiting for it forever."""
    there = {(document["kind"], document["metadata"]["name"]) for document in documents}
    for document in documents:
        if document["kind"] in WORKLOADS:
            for kind, target in references(pod(document)):
                if (kind, target) not in there:
                    yield f"{name(document)}: refers to {kind} {target}, which does not exist"


def references(spec: Document) -> Iterator[tuple[str, str]]:
    """Every other document that a pod names, as (kind, name)."""
    for volume in spec.get("volumes", ()):
        for source in (volume, *volume.get("projected", {}).get("sources", ())):
            if "secret" in source:
                yield "Secret", source["secret"].get("secretName") or source["secret"]["name"]
            if "configMap" in source:
                yield "ConfigMap", source["configMap"]["name"]
        if "persistentVolumeClaim" in volume:
            yield "PersistentVolumeClaim", volume["persistentVolumeClaim"]["claimName"]
    for container in (*spec.get("initContainers", ()), *spec["containers"]):
        for source in container.get("envFrom", ()):
            if "configMapRef" in source:
                yield "ConfigMap", source["configMapRef"]["name"]
            if "secretRef" in source:
                yield "Secret", source["secretRef"]["name"]


def selects_a_pod(documents: Sequence[Document]) -> Iterator[str]:
    """A selector that matches nothing is a Service without pods, or a policy that protects nobody."""
    labels = [
        document["spec"]["template"]["metadata"]["labels"]
        for document in documents
        if document["kind"] in WORKLOADS
    ]
    for document in documents:
        selector = selected(document)
        if selector and not any(selector.items() <= pod_labels.items() for pod_labels in labels):
            yield f"{name(document)}: selects no pod"


def selected(document: Document) -> Mapping[str, str]:
    """The labels by which a document chooses pods; none when it chooses all of them, or does not choose."""
    spec = document.get("spec", {})
    match document["kind"]:
        case "Service":
            return dict(spec["selector"])
        case "NetworkPolicy":
            return dict(spec["podSelector"].get("matchLabels", {}))
        case "PodDisruptionBudget":
            return dict(spec["selector"]["matchLabels"])
        case _:
            return {}


def denies_by_default(documents: Sequence[Document]) -> Iterator[str]:
    policies = [document["spec"] for document in documents if document["kind"] == "NetworkPolicy"]
    if {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]} not in policies:
        yield "NetworkPolicy: whatever is not forbidden is allowed"


def survives_a_drain(documents: Sequence[Document]) -> Iterator[str]:
    budgets = [selected(document) for document in documents if document["kind"] == "PodDisruptionBudget"]
    for document in documents:
        if document["kind"] == "Deployment":
            labels = document["spec"]["template"]["metadata"]["labels"]
            if not any(budget.items() <= labels.items() for budget in budgets):
                yield f"{name(document)}: all its pods may be evicted at once"


POD_RULES: Sequence[Callable[[Document], Iterator[str]]] = (
    is_nobody,
    cannot_change_itself,
    has_bounds,
    names_its_image,
    is_probed,
    leaves_politely,
)
BUILD_RULES: Sequence[Callable[[Sequence[Document]], Iterator[str]]] = (
    refers_to_what_exists,
    selects_a_pod,
    denies_by_default,
    survives_a_drain,
)

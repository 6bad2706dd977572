"""What is deployed is hardened and whole, and every check that says so can fail."""

import copy
import re
import shutil
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy import credentials
from deploy.kubernetes import rules, validate
from deploy.local import database
from libs.service import settings

DOCKER = Path("deploy/docker")
KUBERNETES = Path("deploy/kubernetes")
Spec = dict[str, Any]


@pytest.fixture(scope="module")
def dev(tmp_path_factory: pytest.TempPathFactory) -> list[Spec]:
    """What the dev overlay builds."""
    folder = tmp_path_factory.mktemp("kubernetes") / "kubernetes"
    shutil.copytree(KUBERNETES, folder)
    credentials.write(folder / "overlays/dev/secrets")
    return [dict(document) for document in validate.build(folder / "overlays/dev")]


def test_the_overlays_hold() -> None:
    assert list(validate.faults()) == []


@pytest.mark.parametrize(
    ("file", "sound", "broken", "complaint"),
    [
        ("base/service/service.yaml", "targetPort", "targetport", "targetport"),
        ("base/service/deployment.yaml", "replicas: 2", "replicas: two", "spec.replicas"),
        ("base/network.yaml", "networking.k8s.io/v1", "networking.k8s.io/v7", "Couldn't find schema"),
        ("base/kustomization.yaml", "network.yaml", "netwrok.yaml", "netwrok.yaml"),
        ("overlays/dev/kustomization.yaml", "name: redress-shared", "name: shared", "Secret redress-shared"),
    ],
)
def test_a_broken_manifest_is_found(
    tmp_path: Path, file: str, sound: str, broken: str, complaint: str
) -> None:
    shutil.copytree(KUBERNETES, tmp_path / "kubernetes")
    replace(tmp_path / "kubernetes" / file, sound, broken)
    assert complaint in "\n".join(validate.faults(tmp_path / "kubernetes"))


def test_a_folder_without_overlays_is_not_sound(tmp_path: Path) -> None:
    assert list(validate.faults(tmp_path)) == [f"{tmp_path}: has no overlay"]


def test_a_further_service_is_a_folder_and_a_line(tmp_path: Path) -> None:
    copied = shutil.copytree(KUBERNETES, tmp_path / "kubernetes")
    shutil.copytree(copied / "base/intake", copied / "base/auditor")
    replace(copied / "base/auditor/kustomization.yaml", "intake", "auditor")
    replace(copied / "base/kustomization.yaml", "  - intake\n", "  - intake\n  - auditor\n")
    secrets = "  - name: redress-{0}\n    files: [database-url=secrets/{0}-database-url]\n".format
    replace(
        copied / "overlays/dev/kustomization.yaml", secrets("intake"), secrets("intake") + secrets("auditor")
    )
    assert list(validate.faults(copied)) == []
    credentials.write(copied / "overlays/dev/secrets")
    names = {rules.name(document) for document in validate.build(copied / "overlays/dev")}
    assert {"Deployment redress-intake", "Deployment redress-auditor", "Service redress-auditor"} <= names


def replace(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def pod(documents: list[Spec], kind: str = "Deployment") -> Spec:
    document = next(one for one in documents if one["kind"] == kind and "redress" in one["metadata"]["name"])
    spec: Spec = document["spec"]["template"]["spec"]
    return spec


def service(documents: list[Spec]) -> Spec:
    container: Spec = pod(documents)["containers"][0]
    return container


def without(kind: str) -> Callable[[list[Spec]], None]:
    def remove(documents: list[Spec]) -> None:
        documents[:] = [document for document in documents if document["kind"] != kind]

    return remove


BREAKS: dict[str, Callable[[list[Spec]], object]] = {
    "runs as root": lambda dev: pod(dev)["securityContext"].update(runAsUser=0),
    "has no seccomp profile": lambda dev: pod(dev)["securityContext"].pop("seccompProfile"),
    "is given a token": lambda dev: pod(dev, "Job").pop("automountServiceAccountToken"),
    "may write to its own image": lambda dev: service(dev)["securityContext"].pop("readOnlyRootFilesystem"),
    "may gain privileges": lambda dev: service(dev)["securityContext"].pop("allowPrivilegeEscalation"),
    "keeps capabilities": lambda dev: service(dev)["securityContext"].pop("capabilities"),
    "does not say what it needs": lambda dev: service(dev)["resources"].pop("requests"),
    "may take all memory": lambda dev: service(dev)["resources"].pop("limits"),
    "runs whatever": lambda dev: service(dev).update(image="registry:5000/redress"),
    "has no startupProbe": lambda dev: service(dev).pop("startupProbe"),
    "has no livenessProbe": lambda dev: service(dev).pop("livenessProbe"),
    "has no readinessProbe": lambda dev: service(dev).pop("readinessProbe"),
    "is restarted when a dependency": lambda dev: service(dev)["livenessProbe"]["httpGet"].update(
        path="/readyz"
    ),
    "stops while it is still sent": lambda dev: service(dev).pop("lifecycle"),
    "has no time to answer": lambda dev: pod(dev).update(terminationGracePeriodSeconds=10),
    "refers to ConfigMap": without("ConfigMap"),
    "refers to Secret": without("Secret"),
    "refers to PersistentVolumeClaim": without("PersistentVolumeClaim"),
    "selects no pod": without("Deployment"),
    "whatever is not forbidden is allowed": without("NetworkPolicy"),
    "may be evicted at once": without("PodDisruptionBudget"),
}


@pytest.mark.parametrize(("complaint", "damage"), BREAKS.items(), ids=BREAKS)
def test_every_rule_can_fail(dev: list[Spec], complaint: str, damage: Callable[[list[Spec]], object]) -> None:
    documents = copy.deepcopy(dev)
    assert list(rules.broken(documents)) == []
    damage(documents)
    assert complaint in "\n".join(rules.broken(documents))


def test_the_base_brings_no_secret() -> None:
    assert not [fault for file in (KUBERNETES / "base").rglob("*.yaml") for fault in secrets_in(file)]


def secrets_in(file: Path) -> Iterator[str]:
    for document in yaml.safe_load_all(file.read_text()):
        if document["kind"] == "Secret" or "secretGenerator" in document:
            yield str(file)


def test_compose_and_kubernetes_run_the_same_bus() -> None:
    assert (DOCKER / "nats.conf").read_text() == (KUBERNETES / "overlays/dev/nats.conf").read_text()


def compose() -> Spec:
    whole: Spec = yaml.safe_load((DOCKER / "compose.yaml").read_text())
    return whole


@pytest.mark.parametrize("name", compose()["services"])
def test_every_container_of_compose_is_hardened(name: str) -> None:
    container = compose()["services"][name]
    assert container["read_only"] is True
    assert container["cap_drop"] == ["ALL"]
    assert container["security_opt"] == ["no-new-privileges:true"]


def test_only_settings_that_exist_are_set_and_each_is_documented() -> None:
    known = {f"REDRESS_{field.upper()}" for field in settings.Settings.model_fields}
    given = {line.partition("=")[0] for line in (KUBERNETES / "base/settings.env").read_text().splitlines()}
    given |= {name for name in compose()["x-settings"] if name.startswith("REDRESS_")}
    assert {name if name in known else name.removesuffix("_FILE") for name in given} <= known
    documented = set(re.findall(r"`(REDRESS_[A-Z_]+)`", Path("docs/operations.md").read_text()))
    assert documented - {"REDRESS_IMAGE"} == known


def test_a_metric_that_the_manual_watches_exists() -> None:
    watched = set(re.findall(r"`(redress_[a-z_]+)`", Path("docs/operations.md").read_text()))
    watched -= set(database.ROLES)
    code = "\n".join(file.read_text() for file in Path("libs").rglob("*.py"))
    assert watched
    assert {name for name in watched if f'"{name.removesuffix("_total")}"' not in code} == set()


def test_compose_publishes_to_this_machine_only() -> None:
    ports = [port for container in compose()["services"].values() for port in container.get("ports", ())]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_compose_finds_every_secret_it_names(tmp_path: Path) -> None:
    credentials.write(tmp_path / "secrets")
    made = {file.name for file in (tmp_path / "secrets").iterdir()}
    named = {Path(secret["file"]).name for secret in compose()["secrets"].values()}
    assert named <= made


def test_secrets_are_made_once_and_readable_to_containers_only_through_a_mount(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    credentials.write(folder)
    first = {file.name: file.read_bytes() for file in folder.iterdir()}
    (folder / "notifier-database-url").unlink()
    credentials.write(folder)
    second = {file.name: file.read_bytes() for file in folder.iterdir()}
    assert {name for name in first if first[name] != second[name]} == {"notifier-database-url"}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o444}


def test_the_image_runs_as_a_number_and_takes_in_only_what_is_named() -> None:
    instructions = (DOCKER / "Dockerfile").read_text().splitlines()
    assert [line for line in instructions if line.startswith("USER ")] == ["USER 10001:10001"]
    stages = [line for line in instructions if line.startswith("FROM ")]
    assert stages == ["FROM ${BASE_IMAGE} AS builder", "FROM ${BASE_IMAGE}"]
    assert {"ARG SERVICE=intake", "ENV SERVICE=${SERVICE} \\"} <= set(instructions)
    rules_of_entry = [
        line for line in Path(".dockerignore").read_text().splitlines() if not line.startswith("#")
    ]
    assert rules_of_entry[0] == "*"

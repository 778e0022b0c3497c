"""The files of `deploy/`: what they say fits together, and their very commands run here, with this machine's programs and ports."""

import collections
import configparser
import json
import re
import shlex
import shutil
import subprocess
import tomllib

import pytest
import yaml

from harness import servers
from harness.aeroalpes import binary, booking
from harness.process import ROOT, Process, free_port, wait_until

DEPLOY, TUTORIAL = ROOT / "deploy", ROOT / "tutorial"
PROGRAMS = {"/usr/local/bin/aeroalpes", "/usr/local/bin/bitacora"}
IMAGES = {"api": "aeroalpes/api", "adaptador": "aeroalpes/adaptador", "notificacion": "aeroalpes/notificacion", "ui": "aeroalpes/ui"}


def stages():
    """The stages of the Dockerfile, each with the instructions of the stage that it builds on before its own."""
    text = re.sub(r"\\\n", " ", re.sub(r"(?m)^\s*#.*\n", "", (DEPLOY / "Dockerfile").read_text()))
    found = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        word, _, rest = line.partition(" ")
        if word == "FROM":
            base, _, name = rest.rpartition("} ")[2].partition(" AS ")
            current = found[name] = list(found.get(base, [])) + [("FROM", base)]
        else:
            current.append((word, rest.strip()))
    return found


def image(stage):
    """What a container of a stage runs as."""
    out = {"env": {}, "user": None, "entrypoint": None, "cmd": [], "health": None, "copies": []}
    for word, rest in stages()[stage]:
        if word == "ENV":
            out["env"].update(pair.split("=", 1) for pair in shlex.split(rest))
        elif word == "USER":
            out["user"] = rest
        elif word in ("ENTRYPOINT", "CMD"):
            out[word.lower()] = json.loads(rest)
        elif word == "HEALTHCHECK":
            out["health"] = json.loads(rest.partition("CMD ")[2]) if "CMD " in rest else None
        elif word == "COPY":
            out["copies"].append([part for part in rest.split() if not part.startswith("--")] + ["--from=" in rest])
    return out


def compose():
    return yaml.safe_load((DEPLOY / "docker-compose.yml").read_text())


def built():
    return {name: service for name, service in compose()["services"].items() if "build" in service}


def documents():
    """Everything that `kubectl apply -k` would send, before the generators."""
    files = [DEPLOY / name for name in yaml.safe_load((DEPLOY / "kustomization.yaml").read_text())["resources"]]
    return [document for file in files for document in yaml.safe_load_all(file.read_text())]


def pods():
    return {d["metadata"]["name"]: d["spec"]["template"] for d in documents() if d["kind"] in ("Deployment", "StatefulSet")}


def containers():
    return [(pod, c) for pod in pods().values() for c in pod["spec"]["containers"]]


@pytest.mark.parametrize("stage", [*IMAGES, "bitacora"])
def test_an_image_runs_its_program_without_rights_or_shell(stage):
    found = image(stage)
    assert stages()[stage][0] == ("FROM", "scratch")
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", found["user"])
    for command in filter(None, [found["entrypoint"], found["health"]]):
        assert command[0] in PROGRAMS
        assert command[0] in [copy[1] for copy in found["copies"]], "the program is in the image"
    assert all(from_stage for *_, from_stage in found["copies"]), "a copy of the checkout would keep its modes"
    assert (found["health"] is None) == (stage == "notificacion")


def test_the_build_sees_everything_it_needs_and_no_more():
    kept = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    members = {member.partition("/")[0] for member in tomllib.loads((ROOT / "Cargo.toml").read_text())["workspace"]["members"]}
    assert kept == {"Cargo.toml", "Cargo.lock", "rust-toolchain.toml", "deploy/bitacora.toml"} | members
    channel = tomllib.loads((ROOT / "rust-toolchain.toml").read_text())["toolchain"]["channel"]
    assert ("FROM", f"rust:{channel.rpartition('.')[0]}-bookworm") in stages()["build"]


def test_the_older_builder_reads_the_dockerfile():
    text = (DEPLOY / "Dockerfile").read_text()
    assert not re.search(r"(?m)^# syntax|--mount|--chmod|--link|<<", text)


@pytest.mark.parametrize("folder, kept_away", [(DEPLOY, {"pulsar-real"}), (TUTORIAL, {"pulsar-real", "monolito", "ui", "notificacion", "db"})])
def test_a_command_without_a_profile_means_everything(folder, kept_away):
    file = yaml.safe_load((folder / "docker-compose.yml").read_text())
    assert "name" not in file, "docker-compose 1.29 refuses it"
    meant = set(dict(line.split("=") for line in (folder / ".env").read_text().splitlines() if "=" in line)["COMPOSE_PROFILES"].split(","))
    for name, service in file["services"].items():
        assert meant & set(service["profiles"]) or "pulsar-real" in service["profiles"], name
        assert "build" not in service or service["pull_policy"] == "build", f"{name} would be asked for at a registry"
        assert "stop_grace_period" in service
    assert not meant & kept_away


@pytest.mark.parametrize("file, stage", [("aeroalpes", "api"), ("adaptador", "adaptador"), ("notificacion", "notificacion"), ("ui", "ui")])
def test_a_dockerfile_of_the_tutorial_makes_the_same_image(file, stage):
    lines = [line for line in (TUTORIAL / f"{file}.Dockerfile").read_text().splitlines() if not line.startswith("#")]
    assert lines[0] == "FROM localhost/aeroalpes/programas"
    of_stage = [f"{word} {rest}" for word, rest in stages()[stage] if word in ("ENV", "EXPOSE", "VOLUME", "HEALTHCHECK", "ENTRYPOINT")]
    assert lines[1:] == of_stage


def test_the_profiles_and_images_are_the_tutorials():
    services = compose()["services"]
    profiles = {profile for service in services.values() for profile in service["profiles"]}
    assert profiles == {"pulsar", "pulsar-real", "db", "aeroalpes", "monolito", "ui", "notificacion"}
    assert {name: services[name]["image"] for name in IMAGES} == IMAGES
    assert {name: service["build"]["target"] for name, service in built().items()} == {
        **{name: name for name in IMAGES}, "bitacora": "bitacora", "bitacora-pulsar-real": "bitacora"}
    for service in built().values():
        assert (DEPLOY / service["build"]["context"] / service["build"]["dockerfile"]).resolve() == DEPLOY / "Dockerfile"


def test_services_find_each_other_and_nobody_else_finds_them():
    services, volumes = compose()["services"], compose()["volumes"]
    aliases = {alias for service in services.values() for alias in service.get("networks", {}).get("default", {}).get("aliases", [])}
    hosts = set(services) | aliases
    for name, service in services.items():
        for port in service.get("ports", []):
            assert port.startswith("127.0.0.1:"), f"{name} publishes {port}"
        for volume in service.get("volumes", []):
            source = volume.partition(":")[0]
            assert source in volumes or (DEPLOY / source).is_dir(), volume
        for variable, value in service.get("environment", {}).items():
            if re.search("HOSTNAME|_HOST$|ADDRESS", variable) and "SMTP" not in variable:
                assert value in hosts, f"{name}: {variable}={value}"
    brokers = {profile for service in services.values() if "broker" in str(service.get("networks")) for profile in service["profiles"]}
    assert brokers == {"pulsar", "pulsar-real"}
    remote = image("bitacora")["env"]
    assert remote["BITACORA_BROKER_ALLOW_REMOTE"] == "true" and remote["BITACORA_BROKER_LISTEN"] == "0.0.0.0:6650"
    real = services["bitacora-pulsar-real"]["environment"]
    assert real["BITACORA_PULSAR_SERVICE_URL"] == "pulsar://broker:6650" and real["BITACORA_BROKER_ALLOW_REMOTE"] == "false"


def test_the_pods_are_those_of_compose_with_the_sidecar_beside_the_api():
    services = compose()["services"]
    assert [c["name"] for c in pods()["aeroalpes"]["spec"]["containers"]] == ["api", "adaptador"]
    of_image = collections.defaultdict(set)
    for service in services.values():
        of_image[service["image"]] |= set(service.get("environment", {}))
    used = set()
    for pod, container in containers():
        names = {variable["name"] for variable in container.get("env", [])}
        assert names <= of_image[container["image"]], f"{container['name']} has variables that compose does not know: {names}"
        used.add(container["image"])
        # The broker's own names are those by which it is asked, not an address that it asks.
        addresses = [variable for variable in container.get("env", []) if variable["name"] != "BITACORA_BROKER_HTTP_NAMES"]
        clients = {variable.get("value") for variable in addresses} & {"broker"}
        assert not clients or pod["metadata"]["labels"].get("broker") == "cliente", f"{container['name']} cannot reach the broker"
        if container["image"] != services["mysqldb"]["image"]:
            security = {**pod["spec"]["securityContext"], **container["securityContext"]}
            assert security["runAsNonRoot"] and security["readOnlyRootFilesystem"] and not security["allowPrivilegeEscalation"]
            assert f"{security['runAsUser']}:{security['runAsGroup']}" == image("api")["user"]
    assert used == {s["image"] for n, s in services.items() if "pulsar-real" not in n}
    # What a part is told to find is a service here too, and each service finds its pod.
    selectors = {d["metadata"]["name"]: d["spec"]["selector"] for d in documents() if d["kind"] == "Service"}
    hosts = {v.get("value") for _, c in containers() for v in c.get("env", []) if re.search("HOSTNAME|_HOST$|ADDRESS", v["name"])}
    assert hosts - {"127.0.0.1:5000"} <= set(selectors)
    for selector in selectors.values():
        assert any(selector.items() <= pod["metadata"]["labels"].items() for pod in pods().values()), selector


def test_the_tutorials_pod_shows_nothing_but_grpc():
    service, deployment = yaml.safe_load_all((TUTORIAL / "sidecar-aeroalpes.yml").read_text())
    template = deployment["spec"]["template"]
    assert service["spec"]["selector"].items() <= template["metadata"]["labels"].items()
    assert [port["port"] for port in service["spec"]["ports"]] == [50051]
    images = {container["name"]: container["image"] for container in template["spec"]["containers"]}
    services = yaml.safe_load((TUTORIAL / "docker-compose.yml").read_text())["services"]
    assert images == {name: services[name]["image"] for name in ("aeroalpes", "adaptador")}
    assert [container["name"] for container in template["spec"]["containers"] if "ports" in container] == ["adaptador"]


def test_generated_files_and_secrets_are_those_that_are_asked_for():
    generated = yaml.safe_load((DEPLOY / "kustomization.yaml").read_text())
    for generator in generated["configMapGenerator"]:
        assert all((DEPLOY / file).is_file() for file in generator["files"])
    secrets = dict(literal.split("=", 1) for literal in generated["secretGenerator"][0]["literals"])
    accounts = dict(re.findall(r"CREATE USER IF NOT EXISTS '(\w+)'@'%' IDENTIFIED BY '(\w+)'", (DEPLOY / "mysql/10-reservas.sql").read_text()))
    assert secrets == {**accounts, "root": compose()["services"]["mysqldb"]["environment"]["MYSQL_ROOT_PASSWORD"]}
    wanted = {reference["valueFrom"]["secretKeyRef"]["key"] for _, c in containers() for reference in c.get("env", []) if "valueFrom" in reference}
    assert wanted == set(secrets)


def needs(program):
    """Marks a test that asks a program which not every machine has."""
    return pytest.mark.skipif(not shutil.which(program), reason=f"there is no {program} on this machine")


@needs("kubectl")
def test_kustomize_renders_it():
    done = subprocess.run(["kubectl", "kustomize", DEPLOY], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    rendered = list(yaml.safe_load_all(done.stdout))
    assert len(rendered) == len(documents()) + 3
    assert {d["metadata"].get("namespace") for d in rendered if d["kind"] != "Namespace"} == {"aeroalpes"}


def unit():
    parser = configparser.ConfigParser(strict=False, interpolation=None, delimiters=["="])
    parser.optionxform = str
    parser.read(DEPLOY / "systemd/bitacora.service")
    return parser


def test_the_unit_writes_its_own_folder_and_nothing_else():
    service = unit()["Service"]
    assert service["DynamicUser"] == "yes" and service["ProtectSystem"] == "strict" and service["NoNewPrivileges"] == "yes"
    assert service["Environment"] == f"BITACORA_DATA_DIR=/var/lib/{service['StateDirectory']}"


@needs("systemd-analyze")
def test_systemd_takes_the_unit(tmp_path):
    copy = tmp_path / "bitacora.service"
    text = (DEPLOY / "systemd/bitacora.service").read_text()
    copy.write_text(text.replace("/usr/local/bin/bitacora up", f"{servers.bitacora_binary()} up"))
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", copy], capture_output=True, text=True)
    assert done.returncode == 0 and "bitacora.service" not in done.stderr, done.stderr


class Here:
    """This machine in place of the containers' network: each name and port of the files has a free port."""

    def __init__(self, folder, database):
        self.folder, self.database = folder, database
        self.port = {port: free_port() for port in (5000, 5678, 6650, 8080, 50051)}

    def text(self, text):
        text = re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", text)
        for program, here in {"/usr/local/bin/aeroalpes": binary(), "/usr/local/bin/bitacora": servers.bitacora_binary(),
                              "/etc/bitacora/bitacora.toml": DEPLOY / "bitacora.toml"}.items():
            text = text.replace(program, str(here))
        for port, here in self.port.items():
            text = re.sub(rf"(0\.0\.0\.0|127\.0\.0\.1):{port}\b", f"127.0.0.1:{here}", text)
        return text

    def environment(self, *maps):
        hosts = {"mysqldb": "127.0.0.1", "broker": f"127.0.0.1:{self.port[6650]}", "api": f"127.0.0.1:{self.port[5000]}"}
        env = {name: hosts.get(value, self.text(value)) for one in maps for name, value in one.items()}
        return {**env, "DB_PORT": str(self.database.port), "BITACORA_DATABASE_PORT": str(self.database.port)}

    def container(self, name):
        """Runs a service of compose as its container would."""
        service = compose()["services"][name]
        found = image(service["build"]["target"])
        folder = self.folder / name
        folder.mkdir()
        env = {variable: value.replace("/datos", str(folder)) for variable, value in
               self.environment(found["env"], service["environment"]).items()}
        if found["entrypoint"][0].endswith("aeroalpes"):
            env = {variable: value for variable, value in env.items() if not variable.startswith("BITACORA_")}
        else:
            env = {variable: value for variable, value in env.items() if variable.startswith("BITACORA_")}
        command = [self.text(word) for word in found["entrypoint"] + service.get("command", found["cmd"])]
        process = Process(command, env=env, cwd=folder)
        if found["health"]:
            health = [self.text(word) for word in found["health"]]
            wait_until(f"a healthy {name}", lambda: process.must_run() or subprocess.run(health, capture_output=True).returncode == 0, 60)
        return process


@pytest.fixture
def here(tmp_path):
    database = servers.Database("mysql")
    database.client((DEPLOY / "mysql/10-reservas.sql").read_text())
    yield Here(tmp_path, database)
    database.stop()


def test_the_containers_commands_run_together(here):
    # In an order that none would choose: each waits for what it needs.
    names = ["notificacion", "ui", "bitacora", "api", "adaptador"]
    running = {name: here.container(name) for name in names}
    ready = [binary(), "salud", f"http://127.0.0.1:{here.port[5000]}/ready"]
    wait_until("an API with database and broker", lambda: running["api"].must_run() or subprocess.run(ready, capture_output=True).returncode == 0, 60)
    file = here.folder / "reserva.json"
    file.write_text(json.dumps(booking()))
    asked = Process([binary(), "sidecar-cliente", "--direccion", f"127.0.0.1:{here.port[50051]}", "crear", file])
    assert asked.wait() == 0, asked.stderr()
    identity = json.loads(asked.stdout())["reserva"]["id"]
    told = lambda: [line for line in running["notificacion"].stdout().splitlines() if identity in line]
    lines = wait_until("the notification", lambda: running["notificacion"].must_run() or told(), 60)
    assert len(lines) == 1 and lines[0].startswith(f"correo a reservas@aeroalpes.example: AeroAlpes: recibimos su reserva {identity} | ")
    for name in reversed(names):
        assert running[name].terminate(seconds=30) == 0, (name, running[name].stderr()[-2000:])


def test_the_units_command_runs_with_its_environment_file(here):
    service = unit()["Service"]
    data = here.folder / "data"
    variable, _, folder = service["Environment"].partition("=")
    assert folder == "/var/lib/bitacora"
    file = {"BITACORA_DATABASE_HOSTNAME": "mysqldb", "BITACORA_DATABASE_USER": "bitacora", "BITACORA_DATABASE_PASSWORD": "bitacora",
            "BITACORA_BROKER_LISTEN": "127.0.0.1:6650", "BITACORA_BROKER_HTTP": "127.0.0.1:8080"}
    env = {name: value for name, value in here.environment(file).items() if name.startswith("BITACORA_")}
    process = Process(shlex.split(here.text(service["ExecStart"])), env={**env, variable: str(data)}, cwd=here.folder)
    wait_until("the stream", lambda: process.must_run() or "streaming" in process.stdout() + process.stderr(), 60)
    assert servers.is_healthy(f"http://127.0.0.1:{here.port[8080]}/admin/v2")
    assert data.is_dir()
    assert process.terminate() == 0, process.stderr()

"""The middle is made once for all stories; each has a database, a mail server and machines of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.installation import ROOT
from tests.machines import database, story
from tests.machines.database import Cluster
from tests.machines.network import Network, network
from tests.machines.story import Story

# Seconds that the mail server takes for a message: long enough for all machines to have a part.
PATIENCE = 0.01


@pytest.fixture(scope="session")
def net() -> Iterator[Network]:
    if not os.environ.get("ENVOI_DATABASE_URL"):
        pytest.skip("several machines need PostgreSQL: these run in the pass with it")
    with network() as made:
        yield made


@pytest.fixture(scope="session")
def cluster(net: Network) -> Iterator[Cluster]:
    with database.cluster(net) as made:
        yield made


@pytest.fixture(scope="session")
def template(net: Network, cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A migrated database with readers and a draft for them."""
    name = cluster.copy("template1")
    shared = {**story.environment(cluster.url(name)), "ENVOI_DATA": str(tmp_path_factory.mktemp("first"))}
    for words in (
        ("manage.py", "migrate", "-v0", "--skip-checks"),
        ("-m", "tests.machines.telling", "prepare", str(story.PEOPLE)),
    ):
        command = [*net.at(""), sys.executable, *words]
        subprocess.run(command, env=shared, cwd=ROOT, check=True)
    return name


@pytest.fixture
def here(net: Network, cluster: Cluster, template: str, tmp_path: Path) -> Iterator[Story]:
    name = cluster.copy(template)
    with story.witness(tmp_path, net, PATIENCE) as server:
        made = Story(tmp_path, net, cluster, name, server, story.environment(cluster.url(name)))
        try:
            yield made
        finally:
            made.close()

"""What we write passes the validator of another project, and we judge as it does.

``@secvisogram/csaf-validator-lib`` is installed as this machine's npm is set up, without running
scripts of packages, and works without a network from then on.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from clearhouse.formats.advisory import Advisory, Status
from clearhouse.formats.csaf.mandatory import TESTS, problems
from clearhouse.formats.csaf.writer import Statement, security_advisory, vex
from tests.formats.csaf.advisories import ADVISORY, advisories, statements
from tests.formats.csaf.official import official
from tests.formats.csaf.test_mandatory import cases

pytestmark = [pytest.mark.slow, pytest.mark.network]

PACKAGE = {
    "name": "csaf-opinion",
    "private": True,
    "dependencies": {"@secvisogram/csaf-validator-lib": "2.0.10"},
}
#: Reads documents, runs the schema and all mandatory tests on each, writes which ones failed.
SCRIPT = """
import validate from '@secvisogram/csaf-validator-lib/validateStrict.js'
import * as basic from '@secvisogram/csaf-validator-lib/basic.js'
import fs from 'fs'
const answers = []
for (const document of JSON.parse(fs.readFileSync(0))) {
  const answer = await validate(Object.values(basic), document)
  answers.push(answer.tests.filter((test) => !test.isValid).map((test) => test.name))
}
console.log(JSON.stringify({ count: Object.keys(basic).length, answers }))
"""
#: Official documents on which it and the standard's own index disagree (version 2.0.10): it does
#: not sort revisions of one date by number, and does not squeeze the values of profiles.
DISAGREES = {"6-1-14-12", "6-1-16-16", "6-1-16-17", "6-1-26-04"}

Validator = Callable[[list[dict[str, Any]]], list[list[str]]]


@pytest.fixture(scope="module")
def validator(tmp_path_factory: pytest.TempPathFactory) -> Validator:
    for program in ("npm", "node"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")
    folder: Path = tmp_path_factory.mktemp("validator")
    (folder / "package.json").write_text(json.dumps(PACKAGE))
    (folder / "opinion.mjs").write_text(SCRIPT)
    install = ["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund"]
    installed = subprocess.run(install, cwd=folder, capture_output=True, text=True, timeout=300)
    if installed.returncode != 0:
        pytest.skip("npm could not install the validator here")

    def run(documents: list[dict[str, Any]]) -> list[list[str]]:
        answer = subprocess.run(
            ["node", "opinion.mjs"],
            cwd=folder,
            input=json.dumps(documents),
            capture_output=True,
            text=True,
            check=True,
            timeout=300,
        )
        found = json.loads(answer.stdout)
        # Every mandatory test but 6.1.8, and the schema, which is that test here.
        assert found["count"] == len(TESTS)
        assert len(found["answers"]) == len(documents)
        return [list(map(str, one)) for one in found["answers"]]

    return run


# One process for each example: few examples, each of many documents.
few = settings(
    max_examples=2,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[
        HealthCheck.large_base_example,
        HealthCheck.data_too_large,
        HealthCheck.too_slow,
    ],
)


@few
@given(several=st.lists(advisories(), min_size=25, max_size=50))
def test_it_finds_nothing_in_advisories_that_we_write(
    validator: Validator, several: list[Advisory]
) -> None:
    documents = [security_advisory(one) for one in (ADVISORY, *several)]
    assert validator(documents) == [[]] * len(documents)


@few
@given(several=st.lists(st.tuples(advisories(), statements()), min_size=25, max_size=50))
def test_it_finds_nothing_in_statements_that_we_write(
    validator: Validator, several: list[tuple[Advisory, list[Statement]]]
) -> None:
    documents = [vex(advisory, said) for advisory, said in several]
    assert validator(documents) == [[]] * len(documents)


def test_it_does_find_what_we_find(validator: Validator) -> None:
    broken = security_advisory(ADVISORY)
    broken["document"]["tracking"]["version"] = "7"
    broken["vulnerabilities"][0]["cwe"]["name"] = "Path Traversal"
    assert ADVISORY.status is Status.FINAL
    ours = {one.test for one in problems(broken)}
    theirs = {
        name.removeprefix("mandatoryTest_").replace("_", ".") for name in validator([broken])[0]
    }
    assert ours == theirs == {"6.1.11", "6.1.16"}


def test_it_judges_the_official_documents_as_we_do_but_for_four(validator: Validator) -> None:
    found = cases()
    if not found:
        pytest.skip("the documents that OASIS publishes are not on this machine")
    answers = validator([official(name) for _, name, _ in found])
    differ = {
        name.removesuffix(".json").partition("2021-")[2]
        for (_, name, valid), failed in zip(found, answers, strict=True)
        if valid is bool(failed)
    }
    assert differ == DISAGREES

"""Where pip and npm look, told apart from where we guess they might."""

from __future__ import annotations

import base64
import shutil
from pathlib import Path

import pytest

from clearhouse.proof.target.npm_settings import npm_settings
from clearhouse.proof.target.npm_settings import settings_from as npm_settings_from
from clearhouse.proof.target.pip_settings import parse_listing, pip_settings
from clearhouse.proof.target.pip_settings import settings_from as pip_settings_from
from clearhouse.proof.target.web import Credential


def _default() -> str:
    return "https://default.invalid/simple"


def test_pips_own_default_is_used_where_nothing_is_configured() -> None:
    assert pip_settings_from({}, _default).indexes == ("https://default.invalid/simple/",)


def test_an_index_and_extra_indexes_replace_the_default() -> None:
    options = {"index-url": "https://a.invalid/s/", "extra-index-url": "\nhttps://b.invalid\n"}
    assert pip_settings_from(options, _default).indexes == (
        "https://a.invalid/s/",
        "https://b.invalid/",
    )


def test_no_index_leaves_only_the_links() -> None:
    settings = pip_settings_from({"no-index": "1", "find-links": "/wheels /more"}, _default)
    assert settings.indexes == ()
    assert settings.find_links == ("/wheels", "/more")


def test_a_login_in_an_index_address_becomes_a_credential_and_leaves_the_address() -> None:
    options = {"index-url": "https://me:se%40cret@a.invalid:8443/simple"}
    settings = pip_settings_from(options, _default)
    assert settings.indexes == ("https://a.invalid:8443/simple/",)
    encoded = base64.b64encode(b"me:se@cret").decode()
    assert settings.access.credentials == (Credential("a.invalid:8443/", f"Basic {encoded}"),)
    assert (
        settings.identity
        == pip_settings_from({"index-url": "https://a.invalid:8443/simple"}, _default).identity
    )


def test_certificates_proxies_and_timeouts_are_taken_over() -> None:
    options = {
        "cert": "/ca.pem",
        "client-cert": "/me.pem",
        "proxy": "http://proxy.invalid:1",
        "timeout": "7",
        "trusted-host": "a.invalid b.invalid:1",
    }
    access = pip_settings_from(options, _default).access
    assert (access.verify, access.client_certificate, access.timeout) == ("/ca.pem", "/me.pem", 7)
    assert dict(access.proxies)["https"] == "http://proxy.invalid:1"
    assert access.insecure_hosts == ("a.invalid", "b.invalid:1")


def test_pips_sections_win_as_in_pip_install() -> None:
    listing = """\
:env:.index-url='https://env.invalid'
global.index-url='https://global.invalid'
install.index-url='https://install.invalid'
install.cert='/install.pem'
global.cert='/global.pem'
list.cert='/list.pem'
"""
    assert parse_listing(listing) == {"index-url": "https://env.invalid", "cert": "/install.pem"}


def test_the_pip_of_this_machine_is_asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    config = tmp_path / "pip.conf"
    config.write_text(
        "[global]\nindex-url = https://conf.invalid/simple\n"
        "extra-index-url =\n    https://one.invalid\n    https://two.invalid\n"
    )
    monkeypatch.setenv("PIP_CONFIG_FILE", str(config))
    monkeypatch.delenv("PIP_INDEX_URL", raising=False)
    pip_settings.cache_clear()
    try:
        assert pip_settings().indexes == (
            "https://conf.invalid/simple/",
            "https://one.invalid/",
            "https://two.invalid/",
        )
    finally:
        pip_settings.cache_clear()


def test_npms_registry_scopes_and_proxies_are_read() -> None:
    settings = npm_settings_from(
        {
            "registry": "https://r.invalid/npm",
            "cafile": "/ca.pem",
            "@corp:registry": "https://corp.invalid/",
            "https-proxy": "http://proxy.invalid:1",
            "strict-ssl": False,
        },
        "",
        {},
    )
    assert settings.registry_for("lodash") == "https://r.invalid/npm/"
    assert settings.registry_for("@corp/x") == "https://corp.invalid/"
    assert settings.registry_for("@other/x") == "https://r.invalid/npm/"
    assert settings.access.verify == "/ca.pem"
    assert dict(settings.access.proxies) == {"https": "http://proxy.invalid:1"}
    assert settings.access.insecure_hosts == ("r.invalid",)


def test_npms_credentials_are_read_from_its_files() -> None:
    password = base64.b64encode(b"secret").decode()
    rc = f"""
; a comment
//a.invalid/:_authToken = ${{TOKEN}}
//b.invalid/npm/:_auth="YWJj"
//c.invalid/:username=me
//c.invalid/:_password={password}
_authToken=without-place
"""
    settings = npm_settings_from({"registry": "https://a.invalid/"}, rc, {"TOKEN": "t0"})
    login = base64.b64encode(b"me:secret").decode()
    assert settings.access.credentials == (
        Credential("a.invalid/", "Bearer t0"),
        Credential("b.invalid/npm/", "Basic YWJj"),
        Credential("c.invalid/", f"Basic {login}"),
    )


def test_the_npm_of_this_machine_is_asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    if shutil.which("npm") is None:
        pytest.skip("npm is not installed")
    rc = tmp_path / "npmrc"
    rc.write_text("registry=https://npm.invalid/\n//npm.invalid/:_authToken=t1\n")
    monkeypatch.setenv("NPM_CONFIG_USERCONFIG", str(rc))
    monkeypatch.delenv("NPM_CONFIG_REGISTRY", raising=False)
    npm_settings.cache_clear()
    try:
        settings = npm_settings()
    finally:
        npm_settings.cache_clear()
    assert settings.registry == "https://npm.invalid/"
    assert Credential("npm.invalid/", "Bearer t1") in settings.access.credentials

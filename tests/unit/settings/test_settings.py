"""Settings are read once, strictly, and every problem is told at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from faultmaven.settings import VARIABLES, Resource, load, load_settings, read_setting_file
from faultmaven.variables import Reading, Variable
from faultmaven_core.shared.errors import MisconfiguredError

HOME = {"HOME": "/home/ann"}


def files(content: dict[str, bytes]) -> object:
    """A reader of files that do not exist on disk."""

    def read(path: str) -> bytes:
        if path not in content:
            raise FileNotFoundError(2, "No such file or directory")
        return content[path]

    return read


def problems(environ: dict[str, str], content: dict[str, bytes] | None = None) -> list[str]:
    """The lines of the error."""
    with pytest.raises(MisconfiguredError) as caught:
        load({**HOME, **environ}, files(content or {}))  # type: ignore[arg-type]  # a plain function is one
    return str(caught.value).splitlines()


def test_an_empty_environment_gives_a_home_in_the_data_folder() -> None:
    """A person sets nothing; XDG and FM_HOME move it."""
    settings = load(HOME, read_setting_file)
    assert settings.home == Path("/home/ann/.local/share/faultmaven")
    assert settings.database == Resource("sqlite", "/home/ann/.local/share/faultmaven/faultmaven.db")
    assert settings.blobs == Resource("file", "/home/ann/.local/share/faultmaven/blobs")
    assert (settings.caller.organization, settings.caller.user) == ("local", "local")
    assert (settings.extraction_processes, settings.evidence_copy_max) == (0, 16 << 30)
    assert load({**HOME, "XDG_DATA_HOME": "/data"}, read_setting_file).home == Path("/data/faultmaven")
    assert load({**HOME, "FM_HOME": "/fm"}, read_setting_file).database.place == "/fm/faultmaven.db"
    assert load_settings({**HOME, "FM_HOME": "/fm"}).home == Path("/fm")


def test_empty_means_unset() -> None:
    """Compose files pass empty strings for what nobody set."""
    assert load({**HOME, **{variable.name: "" for variable in VARIABLES}}, read_setting_file) == load(
        HOME, read_setting_file
    )


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("FM_DATABASE_URL", "postgres://u:hunter2@h/d", "FM_DATABASE_URL does not begin with one of sqlite:, memory:."),
        ("FM_DATABASE_URL", "/just/a/path", "FM_DATABASE_URL does not begin with one of sqlite:, memory:."),
        ("FM_DATABASE_URL", "sqlite:", "FM_DATABASE_URL names no place: write sqlite:<path>."),
        ("FM_BLOBS_URL", "s3://bucket", "FM_BLOBS_URL does not begin with one of file:, memory:."),
        ("FM_JOBS_URL", "celery:", "FM_JOBS_URL does not begin with one of embedded:."),
        ("FM_ORGANIZATION", "a/b", "FM_ORGANIZATION is no name"),
        ("FM_USER", "a b", "FM_USER is no name"),
        ("FM_EXTRACTION_PROCESSES", "65", "FM_EXTRACTION_PROCESSES is no whole number from 0 to 64."),
        ("FM_EXTRACTION_PROCESSES", "two", "FM_EXTRACTION_PROCESSES is no whole number from 0 to 64."),
        ("FM_EVIDENCE_COPY_MAX", "64MB", "FM_EVIDENCE_COPY_MAX is no size"),
    ],
)
def test_a_bad_value_is_named_but_not_shown(name: str, value: str, expected: str) -> None:
    """It may hold a password."""
    (line,) = problems({name: value})
    assert line.startswith(expected)
    assert "hunter2" not in line


def test_all_problems_are_told_at_once() -> None:
    """One start, one list."""
    told = problems(
        {"FM_DATABASE_URL": "x:", "FM_EXTRACTION_PROCESSES": "-1", "FM_DATABSE_URL": "memory:", "FM_X": "1"}
    )
    assert len(told) == 4
    assert "FM_DATABSE_URL is no setting of FaultMaven: did you mean FM_DATABASE_URL?" in told
    assert any(line.startswith("FM_X is no setting") and "docs/settings.md" in line for line in told)


def test_names_of_tests_and_of_kubernetes_services_are_no_settings() -> None:
    """Kubernetes injects these for a service called fm-case-service."""
    injected = {
        "FM_TEST_DATA": "/data",
        "FM_CASE_SERVICE_SERVICE_HOST": "10.0.0.1",
        "FM_CASE_SERVICE_SERVICE_PORT": "80",
        "FM_CASE_SERVICE_SERVICE_PORT_HTTP": "80",
        "FM_CASE_SERVICE_PORT": "tcp://10.0.0.1:80",
        "FM_CASE_SERVICE_PORT_80_TCP": "tcp://10.0.0.1:80",
        "FM_CASE_SERVICE_PORT_80_TCP_ADDR": "10.0.0.1",
    }
    assert load({**HOME, **injected}, read_setting_file) == load(HOME, read_setting_file)


@pytest.mark.parametrize(
    ("data", "expected"), [(b"ann", "ann"), (b"ann\n", "ann"), (b"ann\r\n", "ann"), (b"ann@x.org\n", "ann@x.org")]
)
def test_a_value_may_come_from_a_file(data: bytes, expected: str) -> None:
    """Exactly one line end is cut; the origin is shown."""
    settings = load({**HOME, "FM_USER_FILE": "/run/user"}, lambda _: data)
    assert settings.caller.user == expected
    assert ("FM_USER", expected, "file /run/user") in settings.show()


def test_files_that_cannot_be_used_are_named() -> None:
    """Missing, binary, or in conflict with the variable itself."""
    assert problems({"FM_USER_FILE": "/gone"}) == [
        "FM_USER_FILE names /gone, which cannot be read: No such file or directory."
    ]
    assert "no text in UTF-8" in problems({"FM_USER_FILE": "/b"}, {"/b": b"\xff"})[0]
    assert problems({"FM_USER_FILE": "/b", "FM_USER": "x"}, {"/b": b"y"}) == [
        "FM_USER and FM_USER_FILE are both set: keep one."
    ]
    assert "is no name" in problems({"FM_USER_FILE": "/b"}, {"/b": b"ann\n\n"})[0]


def test_only_small_regular_files_are_read(tmp_path: Path) -> None:
    """A pipe would hang, a large file is a mistake."""
    (tmp_path / "large").write_bytes(b"x" * (65 << 10))
    with pytest.raises(OSError, match="64 KiB"):
        read_setting_file(str(tmp_path / "large"))
    with pytest.raises(OSError, match="regular"):
        read_setting_file(str(tmp_path))
    (tmp_path / "fine").write_bytes(b"x")
    assert read_setting_file(str(tmp_path / "fine")) == b"x"
    with pytest.raises(MisconfiguredError, match="no regular file"):
        load_settings({**HOME, "FM_USER_FILE": str(tmp_path)})


def test_without_any_home_the_problem_is_said() -> None:
    """As in a bare container."""
    with pytest.raises(MisconfiguredError, match="set FM_HOME"):
        load({}, read_setting_file)
    assert load({"FM_HOME": "/fm"}, read_setting_file).home == Path("/fm")


@pytest.mark.parametrize(
    ("url", "place"),
    [("sqlite:/a/b.db", "/a/b.db"), ("sqlite:///a/b.db", "/a/b.db"), ("sqlite:b.db", "b.db"), ("memory:", "")],
)
def test_both_ways_to_write_a_path_mean_the_same(url: str, place: str) -> None:
    """Two more slashes are habit."""
    assert load({**HOME, "FM_DATABASE_URL": url}, read_setting_file).database.place == place


def test_every_variable_is_shown_and_secrets_are_starred() -> None:
    """With where the value came from."""
    settings = load({**HOME, "FM_USER": "ann"}, read_setting_file)
    assert [name for name, _, _ in settings.show()] == [variable.name for variable in VARIABLES]
    assert ("FM_USER", "ann", "environment") in settings.show()
    assert ("FM_BLOBS_URL", "file:/home/ann/.local/share/faultmaven/blobs", "default") in settings.show()
    secret = Variable("FM_KEY", "A key.", "", "nothing", secret=True)
    assert Reading({"FM_KEY": "hunter2"}, read_setting_file, [secret]).shown({}) == (("FM_KEY", "***", "environment"),)


def test_every_declared_variable_is_read() -> None:
    """A variable that changes nothing is a lie: each one, set to something odd, shows up as a problem or a value."""
    default = load(HOME, read_setting_file)
    for variable in VARIABLES:
        try:
            changed = load({**HOME, variable.name: "7"}, read_setting_file)
        except MisconfiguredError as error:
            assert variable.name in str(error)  # noqa: PT017 - either outcome proves that it is read
        else:
            assert changed != default


def test_the_document_lists_exactly_the_variables(request: pytest.FixtureRequest) -> None:
    """Generated by `python -m faultmaven.settings_document`; a stale one fails here."""
    from faultmaven.settings_document import document

    stands = (request.config.rootpath / "docs" / "settings.md").read_text()
    assert stands == document(), "run: python -m faultmaven.settings_document > docs/settings.md"

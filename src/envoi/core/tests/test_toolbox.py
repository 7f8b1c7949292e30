import pytest

from envoi.core import addresses, csv_export, secrets, signing


def test_a_token_gives_back_its_payload_and_only_for_its_purpose() -> None:
    token = signing.sign(b"42", "open")
    assert signing.read(token, "open") == b"42"
    with pytest.raises(signing.BadToken):
        signing.read(token, "click")


@pytest.mark.parametrize(
    "change", [lambda t: t[:-1], lambda t: t + "A", lambda t: "", lambda t: "é" + t, lambda t: t * 100]
)
def test_a_changed_token_is_refused(change) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(signing.BadToken):
        signing.read(change(signing.sign(b"42", "open")), "open")


def test_a_secret_is_not_readable_under_another_context() -> None:
    stored = secrets.encrypt("hunter2", "transport:1")
    assert "hunter2" not in stored
    assert secrets.decrypt(stored, "transport:1") == "hunter2"
    with pytest.raises(secrets.SecretUnreadable):
        secrets.decrypt(stored, "transport:2")


def test_an_address_is_compared_without_case_and_with_an_ascii_domain() -> None:
    address = addresses.parse("  Åsa.Öberg@Räksmörgås.SE ")
    assert address.key == "åsa.öberg@xn--rksmrgs-5wao1o.se"


def test_a_cell_that_a_spreadsheet_would_run_is_neutralised() -> None:
    assert list(csv_export.lines(["name"], [["=cmd|' /C calc'!A0"]]))[1] == "'=cmd|' /C calc'!A0\r\n"

import pytest

from envoi.core import events
from envoi.instance import actions, queries
from envoi.instance.events import SettingsChanged
from envoi.instance.models import Setting
from envoi.instance.schema import OPT_OUT_REQUIRED, ORGANISATION_NAME, TIME_ZONE, SettingRefused

pytestmark = pytest.mark.django_db


def test_a_setting_nobody_changed_has_its_default() -> None:
    assert queries.get(OPT_OUT_REQUIRED) is True
    assert queries.get(ORGANISATION_NAME) == ""


def test_two_settings_change_together_and_it_is_announced() -> None:
    heard: list[SettingsChanged] = []
    events.on(SettingsChanged, heard.append)
    actions.change({"organisation_name": "Räksmörgås AB", "opt_out_required": False}, actor=None)
    assert queries.get(ORGANISATION_NAME) == "Räksmörgås AB"
    assert queries.get(OPT_OUT_REQUIRED) is False
    assert heard == [
        SettingsChanged({"organisation_name": ("", "Räksmörgås AB"), "opt_out_required": (True, False)}, None)
    ]


def test_storing_what_stands_already_writes_nothing() -> None:
    actions.change({"time_zone": "UTC", "organisation_name": ""}, actor=None)
    assert not Setting.objects.exists()


def test_one_bad_value_leaves_all_as_it_was() -> None:
    with pytest.raises(SettingRefused) as refused:
        actions.change({"organisation_name": "Envoi", "time_zone": "Mars/Olympus"}, actor=None)
    assert refused.value.name == "time_zone"
    assert queries.get(TIME_ZONE) == "UTC"
    assert not Setting.objects.exists()


def test_a_stored_value_of_an_older_shape_counts_as_not_set() -> None:
    actions.change({"time_zone": "Europe/Brussels"}, actor=None)
    Setting.objects.filter(name="time_zone").update(value=42)
    assert queries.get(TIME_ZONE) == "UTC"
    assert queries.get_all()["time_zone"] == "UTC"

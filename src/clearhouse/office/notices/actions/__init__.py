"""What is done with notices: told, acknowledged, ended; channels; gathering and sending."""

from clearhouse.office.notices.actions.channels import (
    MadeChannel,
    add_channel,
    agree,
    confirm,
    pause,
    remove,
    resume,
    rotate,
    set_hour,
    test,
)
from clearhouse.office.notices.actions.telling import acknowledge, end, tell

__all__ = [
    "MadeChannel",
    "acknowledge",
    "add_channel",
    "agree",
    "confirm",
    "end",
    "pause",
    "remove",
    "resume",
    "rotate",
    "set_hour",
    "tell",
    "test",
]

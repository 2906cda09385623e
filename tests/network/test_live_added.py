"""Trains that the timetable lacks are told of like any other."""

from __future__ import annotations

import datetime as dt
from dataclasses import fields

from mobility.network.live.added import NewCall, NewTrain, lengthened
from mobility.planner.assemble import Assembler
from tests.planner.nets import random_net


def test_a_train_with_a_trip_of_its_own_has_a_row_in_every_field_of_trips_and_trains() -> None:
    net = random_net(0)
    network = net.network()
    moment = int(dt.datetime.combine(net.first_date, dt.time(12), dt.UTC).timestamp())
    start = moment - network.epoch_s
    calls = (NewCall(0, start, start, 1, 1), NewCall(1, start + 600, start + 600, 2, 2))
    added = NewTrain(0, net.first_date, calls, trip_id="extra", headsign="There")
    longer = lengthened(network, [added])
    for kind in ("trip", "train"):
        rows = [
            (len(getattr(network, field.name)), len(getattr(longer, field.name)))
            for field in fields(network)
            if field.name.startswith(f"{kind}_")
        ]
        assert all(after == before + 1 for before, after in rows if before), kind
    told = Assembler(longer).trips[len(network.trip_id)]
    assert (told.trip_id, told.headsign, told.headway_s) == ("extra", "There", 0)

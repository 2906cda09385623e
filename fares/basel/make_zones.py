"""Write zones.csv: in which zones, countries and fare places each stop of the sample region lies.

``python fares/basel/make_zones.py`` rewrites it from the stops.txt of the feeds in feeds/basel.
Zones of the tariff associations come from the feeds' zone_id; the country from the stop's number;
places of point-to-point prices and sections of the CH-FR ticket from the tables below.
"""

from __future__ import annotations

import csv
import io
import zipfile
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
FEEDS = FOLDER.parent.parent / "feeds" / "basel"

# System -> zone -> names of stops as the feeds write them.
PLACES: dict[str, dict[str, set[str]]] = {
    "seam": {
        "basel-bad": {"Basel Bad Bf", "Basel Badischer Bahnhof"},
        "barfuesserplatz": {"Basel, Barfüsserplatz"},
        "riehen": {"Riehen", "Riehen Niederholz", "Riehen-Niederholz"},
    },
    "ter": {
        "basel": {"Basel SBB", "Bâle"},
        "saint-louis": {"Saint-Louis (Haut-Rhin)"},
        "saint-louis-la-chaussee": {"Saint-Louis-la-Chaussée"},
        "bartenheim": {"Bartenheim"},
        "sierentz": {"Sierentz"},
        "habsheim": {"Habsheim"},
        "rixheim": {"Rixheim"},
        "mulhouse": {"Mulhouse Ville", "Mülhausen"},
        "colmar": {"Colmar"},
    },
    "baden": {
        "basel": {"Basel SBB", "Basel Bad Bf", "Basel Badischer Bahnhof"},
        "weil": {"Weil am Rhein", "Weil am Rhein Bahnhof"},
        "muellheim": {"Müllheim(Baden)", "Müllheim im Markgräflerland"},
        "bad-krozingen": {"Bad Krozingen"},
        "freiburg": {"Freiburg (Breisgau) Hbf", "Freiburg Hauptbahnhof"},
    },
    "inflex": {
        "train": {"Basel SBB", "Bâle", "Saint-Louis (Haut-Rhin)"},
        "tram-3": {
            "Basel, Barfüsserplatz",
            "Basel, Musik-Akademie",
            "Basel, Universität",
            "Basel, Spalentor",
            "Basel, Pilgerstrasse",
            "Basel, Burgfelderplatz",
            "Basel, Strassburgerallee",
            "Basel, Im Westfeld",
            "Basel, Felix Platter-Spital",
            "Basel, Waldighoferstrasse",
            "Basel, Burgfelderhof",
            "Saint-Louis, Soleil",
            "Saint-Louis, Saint-Exupéry",
            "Saint-Louis, Place Mermoz",
            "Saint-Louis, Gare",
        },
        "bus-603-604": {
            "Bâle Schifflände",
            "Bâle Dreirosenbrücke",
            "Huningue Douane",
            "Huningue Place Abbatucci",
            "Saint-Louis Mairie",
            "Saint-Louis Frontière",
            "Saint-Louis Carrefour Central",
            "Saint-Louis Croisée des Lys",
            "Gare de Saint-Louis",
        },
    },
}
COUNTRY_OF_UIC = {"85": "CH", "80": "DE", "87": "FR"}


def country_of(feed: str, stop: dict[str, str], parents: dict[str, dict[str, str]]) -> str:
    """Return the country of a stop by its number, or by the zone where the number is local."""
    number = stop["stop_id"].removeprefix("StopArea:").removeprefix("StopPoint:")
    if number[:2] in COUNTRY_OF_UIC:
        return COUNTRY_OF_UIC[number[:2]]
    if number.startswith("OCE"):
        return COUNTRY_OF_UIC[number[3:5]]
    if number[2:3] == ":":
        return number[:2].upper()
    parent = parents.get(stop["parent_station"], stop)
    zone = stop["stop_timezone"] or parent["stop_timezone"]
    return "CH" if zone == "Europe/Zurich" else {"fr-regio": "FR", "de-regio": "DE"}.get(feed, "CH")


def list_rows() -> list[tuple[str, str, str]]:
    """Return the rows system, zone, stop of all feeds, sorted."""
    rows = set()
    for path in sorted(FEEDS.glob("*.zip")):
        with zipfile.ZipFile(path) as archive, archive.open("stops.txt") as file:
            stops = list(csv.DictReader(io.TextIOWrapper(file, "utf-8-sig")))
        parents = {stop["stop_id"]: stop for stop in stops}
        for stop in stops:
            reference = f"{path.stem}:{stop['stop_id']}"
            zone_id = stop["zone_id"] or parents.get(stop["parent_station"], stop)["zone_id"]
            if zone_id:
                system, _, zone = zone_id.partition(":")
                rows.add((system, zone, reference))
            rows.add(("country", country_of(path.stem, stop, parents), reference))
            for system, places in PLACES.items():
                for zone, names in places.items():
                    if stop["stop_name"] in names:
                        rows.add((system, zone, reference))
    return sorted(rows)


def main() -> None:
    """Write zones.csv beside this script."""
    with (FOLDER / "zones.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["system", "zone", "stop"])
        writer.writerows(list_rows())


if __name__ == "__main__":
    main()

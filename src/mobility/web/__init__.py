"""The pages: search and results that work without JavaScript, and the bundle that enhances them."""

from mobility.web.catalogue import (
    LANGUAGES,
    Catalogue,
    choose_language,
    offered_languages,
    read_catalogue,
)
from mobility.web.label_words import label_documents
from mobility.web.now_page import install_now_page
from mobility.web.pages import PageBackend, install_pages
from mobility.web.region_pages import RegionBackend, install_region_pages
from mobility.web.timetable_pages import TimetableBackend, install_timetable_pages

__all__ = [
    "LANGUAGES",
    "Catalogue",
    "PageBackend",
    "RegionBackend",
    "TimetableBackend",
    "choose_language",
    "install_now_page",
    "install_pages",
    "install_region_pages",
    "install_timetable_pages",
    "label_documents",
    "offered_languages",
    "read_catalogue",
]

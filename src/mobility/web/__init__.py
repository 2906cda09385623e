"""The pages: search and results that work without JavaScript, and the bundle that enhances them."""

from mobility.web.catalogue import (
    LANGUAGES,
    Catalogue,
    choose_language,
    offered_languages,
    read_catalogue,
)
from mobility.web.now_page import install_now_page
from mobility.web.pages import PageBackend, install_pages
from mobility.web.region_pages import RegionBackend, install_region_pages

__all__ = [
    "LANGUAGES",
    "Catalogue",
    "PageBackend",
    "RegionBackend",
    "choose_language",
    "install_now_page",
    "install_pages",
    "install_region_pages",
    "offered_languages",
    "read_catalogue",
]

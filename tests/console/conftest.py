from tests.browser_fixtures import browser, page, person, signed_in, visit

__all__ = ["browser", "page", "person", "signed_in", "visit"]

"""How a test of a page goes from place to place."""

import pytest

from dashboard.components.shared.places import OLD_ADDRESSES, VIEW


def turn_to(app, name):
    """Go to a page, or to a view by the name that it had as a page, in the same session."""
    page, view = OLD_ADDRESSES.get(name, (f"app_pages/{name}.py", None))
    if view is not None:
        app.query_params[VIEW] = view
    return app.switch_page(page).run()


@pytest.fixture
def turn():
    return turn_to

"""Compare: methods scored over budgets and seeds, and the story of a finished run for people who decide."""

from dashboard.components.shared.places import COMPARE, PRESENT, choose_view

if choose_view(COMPARE) == PRESENT:  # what a view draws with is loaded when it is opened
    from dashboard.components.present.page import present_page

    present_page()
else:
    from dashboard.components.compare.page import compare_page

    compare_page()

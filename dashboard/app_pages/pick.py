"""Pick: choose points and look at them, see why they are good, set selections beside each other, label."""

from dashboard.components.shared.places import LABEL, PICK, SELECTIONS, WHY, choose_view

view = choose_view(PICK)
if view == WHY:  # what a view draws with is loaded when it is opened
    from dashboard.components.diagnose.page import diagnose_page

    diagnose_page()
elif view == SELECTIONS:
    from dashboard.components.selections.page import selections_page

    selections_page()
elif view == LABEL:
    from dashboard.components.label.page import label_page

    label_page()
else:
    from dashboard.components.workbench.page import workbench_page

    workbench_page()

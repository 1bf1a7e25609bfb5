"""Select: pick points with one method, and look at what was picked."""

from dashboard.components.workbench.page import workbench_page

workbench_page()

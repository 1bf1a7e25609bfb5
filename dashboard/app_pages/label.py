"""Label: scratch page."""

from dashboard.components.label.page import label_page

label_page()

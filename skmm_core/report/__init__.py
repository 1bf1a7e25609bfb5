"""The report of a run as one HTML page without outside resources, for reading, exploring and printing."""

from skmm_core.report.page import write_report

__all__ = ["write_report"]

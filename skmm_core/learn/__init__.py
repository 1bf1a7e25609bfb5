"""The small worlds of the Learn page."""

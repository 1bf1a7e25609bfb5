"""What the Data page draws: the forms for tables and pictures, and what was understood of them."""

"""What the Overview page draws: a finished example, and what stands in its place while it is made."""

"""What Home draws: the finished example, and the person's projects."""

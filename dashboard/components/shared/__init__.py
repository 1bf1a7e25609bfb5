"""What several pages draw: the look, charts as answers, forms, galleries, running jobs, files to take away."""

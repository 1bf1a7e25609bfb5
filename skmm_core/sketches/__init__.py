"""Random linear maps from r gradient dimensions to m: one file per kind, one interface, and what each promises."""
